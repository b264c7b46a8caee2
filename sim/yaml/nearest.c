/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Edit distance: letters inserted, left out, changed, or swapped with their neighbour.
 */
#include "sim/yaml/nearest.h"

#include <string.h>

/* Longer words have no near ones: nobody misspells them by a letter. */
#define MAX_LENGTH 40u

/* A hostile file asks often, among many. */
#define MAX_CANDIDATES 200u

static uint32_t min3(uint32_t a, uint32_t b, uint32_t c)
{
    uint32_t min = a < b ? a : b;

    return min < c ? min : c;
}

/* Row by row; a swap looks two rows back. */
static uint32_t edit_distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    uint32_t rows[3][MAX_LENGTH + 1];
    uint32_t *before = rows[0];
    uint32_t *last = rows[1];
    uint32_t *row = rows[2];

    for (uint32_t j = 0; j <= b_length; j++) {
        last[j] = j;
    }
    for (uint32_t i = 1; i <= a_length; i++) {
        uint32_t *oldest = before;

        row[0] = i;
        for (uint32_t j = 1; j <= b_length; j++) {
            row[j] = min3(last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                row[j] = min3(row[j], before[j - 2] + 1, UINT32_MAX);
            }
        }
        before = last;
        last = row;
        row = oldest;
    }
    return last[b_length];
}

/* A third of a word may be wrong, but at least one letter. */
struct nearest nearest_to(const char *word)
{
    size_t length = strnlen(word, MAX_LENGTH + 1);

    return (struct nearest){
        .word = word,
        .distance = length > MAX_LENGTH ? 0 : (uint32_t)(length < 6 ? 2 : length / 3 + 1),
    };
}

void nearest_offer(struct nearest *nearest, const char *candidate)
{
    size_t length = strnlen(candidate, MAX_LENGTH + 1);
    uint32_t distance;

    nearest->offered++;
    if (nearest->distance == 0 || nearest->offered > MAX_CANDIDATES || length > MAX_LENGTH) {
        return;
    }
    distance = edit_distance(nearest->word, strlen(nearest->word), candidate, length);
    if (distance < nearest->distance) {
        nearest->distance = distance;
        nearest->best = candidate;
    }
}
