/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The whole file is hashed rather than its build id read: that needs no linker option, and a
 * program that was patched after it was linked is another one, too.
 */
#include "tools/base/program.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "tools/base/support.h"

uint64_t program_hash_file(const char *path)
{
    FILE *file = fopen(path, "re");
    XXH3_state_t state;
    char buf[65536];
    size_t got;

    if (file == NULL) {
        die("%s: %s", path, strerror(errno));
    }
    XXH3_64bits_reset(&state);
    while ((got = fread(buf, 1, sizeof(buf), file)) > 0) {
        XXH3_64bits_update(&state, buf, got);
    }
    if (ferror(file)) {
        die("%s: %s", path, strerror(errno));
    }
    fclose(file);
    return XXH3_64bits_digest(&state);
}

/* The file is large, and stays as it is while the program runs. */
uint64_t program_hash(void)
{
    static uint64_t hash;

    if (hash == 0) {
        hash = program_hash_file("/proc/self/exe");
    }
    return hash;
}
