/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The table of formats: how each is recognised and read.
 *
 * They are asked in this order, and the first that recognises a line takes the file: those that
 * look at words before those that only look at numbers.
 *
 * Declared in tools/import/import.h: the formats that can be read.
 */
#include "tools/import/import.h"

const char *const import_format_names[] = {"fio",     "blkparse", "ftrace", "biosnoop", "msr",
                                           "alibaba", "tencent",  "spc",    "csv",      "fiu",
                                           "mqsim",   "disksim",  NULL};

const struct import_format import_formats[IMPORT_FORMATS] = {
    [IMPORT_FIO] = {.recorder = "fio", .recognise = import_is_fio, .read = import_fio_line},
    [IMPORT_BLKPARSE] = {.recorder = "blktrace",
                         .recognise = import_is_blkparse,
                         .read = import_blkparse_line,
                         .action = 'Q'},
    [IMPORT_FTRACE] = {.recorder = "ftrace",
                       .recognise = import_is_ftrace,
                       .read = import_ftrace_line,
                       .is_absolute = true,
                       .action = 'D'},
    [IMPORT_BIOSNOOP] = {.recorder = "biosnoop",
                         .recognise = import_is_biosnoop,
                         .read = import_biosnoop_line,
                         .is_absolute = true,
                         .action = 'D'},
    [IMPORT_MSR] = {.recorder = "MSR Cambridge",
                    .recognise = import_is_msr,
                    .read = import_msr_line,
                    .is_absolute = true},
    [IMPORT_ALIBABA] = {.recorder = "Alibaba Cloud",
                        .recognise = import_is_alibaba,
                        .read = import_alibaba_line,
                        .is_absolute = true},
    [IMPORT_TENCENT] = {.recorder = "Tencent Cloud",
                        .recognise = import_is_tencent,
                        .read = import_tencent_line,
                        .is_absolute = true},
    [IMPORT_SPC] = {.recorder = "SPC", .recognise = import_is_spc, .read = import_spc_line},
    [IMPORT_CSV] = {.recorder = "another program",
                    .recognise = import_is_csv,
                    .read = import_csv_line},
    [IMPORT_FIU] = {.recorder = "FIU",
                    .recognise = import_is_fiu,
                    .read = import_fiu_line,
                    .is_absolute = true},
    [IMPORT_MQSIM] = {.recorder = "MQSim", .recognise = import_is_mqsim, .read = import_mqsim_line},
    [IMPORT_DISKSIM] = {.recorder = "DiskSim",
                        .recognise = import_is_disksim,
                        .read = import_disksim_line},
};
