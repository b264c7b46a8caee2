/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A recording of any bytes, in any format: what is accepted makes a valid scenario.  The first
 * byte chooses the format and the options.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "sim/scenario/scenario.h"
#include "tests/fuzz/fuzz.h"
#include "tools/import/import.h"

static void check(const struct recording *recording)
{
    size_t bytes;
    char *text = import_scenario(recording, NULL, &bytes);
    struct scenario *scenario = scenario_load_text("input.yaml", text, bytes);

    if (scenario_mistakes(scenario)->count > 0) {
        fputs(mistakes_format("made", scenario_mistakes(scenario)), stderr);
        abort();
    }
    scenario_free(scenario);
    free(text);
}

static void tell_profile(const struct recording *recording)
{
    char *text = NULL;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);

    assert(out != NULL);
    import_write_profile(recording, out);
    import_write_requests(recording, out);
    fclose(out);
    free(text);
}

static const char *layout_of(enum import_format_id format, unsigned choice)
{
    if (choice % 2 == 0) {
        return NULL;
    }
    return format == IMPORT_CSV        ? "time/ms,offset/sectors,bytes,op,latency,disk"
           : format == IMPORT_BLKPARSE ? "%T.%t %D %a %d %S+%n\\n"
                                       : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    unsigned choice = bytes > 0 ? data[0] : 0;
    enum import_format_id format = choice % 16 < IMPORT_FORMATS ? choice % 16 : IMPORT_DETECT;
    const struct import_options options = {.path =
                                               fuzz_file(data + (bytes > 0), bytes - (bytes > 0)),
                                           .format = format,
                                           .layout = layout_of(format, choice >> 4),
                                           .start_at_first = choice >> 5 & 1,
                                           .lenient = choice >> 6 & 1,
                                           .wants_latency = choice >> 7 & 1,
                                           .first = 1,
                                           .count = 100,
                                           .speed_up = 1000};
    struct recording recording;

    recording_read(&recording, &options);
    if (recording.mistakes.count > 0) {
        free(mistakes_format("input", &recording.mistakes));
    } else {
        check(&recording);
        tell_profile(&recording);
    }
    free(import_left_out_text(&recording));
    recording_free(&recording);
    return 0;
}
