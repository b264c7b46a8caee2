/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Messages about wrong scenario files: every mistake, its place, its words.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/units.h"
#include "tests/support/load.h"

struct wrong {
    const char *sections;
    const char *mistakes;
};

static const struct wrong wrongs[] = {
    {"job: {mirror: src, to: dst, grnularity: 64KiB}\n",
     "4:29: unknown key \"grnularity\" in job; did you mean \"granularity\"?"},
    {"job: {mirror: src, two: dst}\n", "4:20: unknown key \"two\" in job; did you mean \"to\"?"},
    {"disks: {src: {sise: 1MiB}, dst: {size: 1MiB}}\n",
     "4:15: unknown key \"sise\" in disk; did you mean \"size\"?"},
    {"faults: {bad: {match: {disk: dst, op: write}, eror: EIO}}\n",
     "4:47: unknown key \"eror\" in fault; did you mean \"error\"?"},
    {"disks: {src: {size: 1MiB, latency: {unifrom: [1ms, 2ms]}}, dst: {size: 1MiB}}\n",
     "4:37: unknown key \"unifrom\" in a latency; did you mean \"uniform\"?"},
    {"disks: {src: {size: 1MiB, latency: {raed: 1ms}}, dst: {size: 1MiB}}\n",
     "4:37: unknown key \"raed\" in latency; did you mean \"read\"?"},
    {"steps: [start, {pause: 5ms}]\n",
     "4:24: pause takes no value: write it alone, or {pause: refused}; time passes in a step "
     "{wait: 5ms}"},
    {"steps:\n  - start:\n",
     "5:11: a value is missing here (a word that stands alone has no colon)"},
    {"steps: [start, {wait: {event: {ready: x}}}]\n",
     "4:31: expected one word here, like queued, not a mapping: other keys stand beside it, not in "
     "it"},
    {"steps: [start, {wait: {event: ready, within: 3h}}]\n",
     "4:16: this step may wait for 10800s, but the run ends at 3600s (limits: time)"},
    {"job: {mirror: ${p}, to: dst}\n",
     "4:16: this is not YAML: did not find expected ',' or '}' (quote it in braces: \"${name}\"), "
     "while parsing a flow mapping that begins at 4:6"},
    {"tags: a: b\n",
     "4:8: this is not YAML: mapping values are not allowed in this context (quote a text that has "
     "\": \" in it)"},
    {"job: {mirror: src, to: dst, colour: red}\n",
     "4:29: unknown key \"colour\" in job; its keys are mirror, to, sync, granularity, buffer, "
     "speed, on-source-error, on-target-error, replaces"},
    {"job: {mirror: src}\n", "4:6: job needs the key \"to\""},
    {"job: {}\n", "4:6: job needs the keys \"mirror\", \"to\""},
    {"job: [mirror, src]\n", "4:6: job must be a mapping, {key: value, ...}"},
    {"job: {mirror: scr, to: dst}\n", "4:15: no disk is called \"scr\"; did you mean \"src\"?"},
    {"job: {mirror: src, to: dst, speed: 64}\n",
     "4:36: \"64\" needs a unit: 64GiB/s, 64MiB/s, 64KiB/s or 64B/s?"},
    {"job: {mirror: src, to: dst, speed: 64KiB}\n",
     "4:36: \"64KiB\" has an unknown unit; did you mean \"64KiB/s\"?"},
    {"job: {mirror: src, to: dst, sync: ful}\n",
     "4:35: \"ful\" is no sync mode; did you mean \"full\"?"},
    {"job: {mirror: src, to: dst, on-target-error: retry}\n",
     "4:46: \"retry\" is no error policy; there are report, ignore, stop, enospc"},
    {"job: {mirror: src, to: dst, granularity: 64kb}\n",
     "4:42: \"64kb\" has an unknown unit; did you mean \"64KiB\"?"},
    {"job: {mirror: src, to: dst, granularity: big}\n",
     "4:42: \"big\" is no size; write for example 64KiB, 1MiB or 512"},
    {"job: {commit: src, into: dst}\n",
     "4:6: disk \"dst\" is not below \"src\": commit goes into its backing chain"},
    {"disks: {src: {size: 1000}, dst: {size: 1MiB}}\n", "4:21: \"1000\" is not a multiple of 512"},
    {"disks: {src: {size: 128TiB}, dst: {size: 1MiB}}\n",
     "4:21: \"128TiB\" is too large: the most is 64TiB"},
    {"disks: {src: {size: 99999999999999999999EiB}, dst: {size: 1MiB}}\n",
     "4:21: \"99999999999999999999EiB\" is too large: the most is 64TiB"},
    {"disks: {src: {size: 1MiB, cluster: 3KiB}, dst: {size: 1MiB}}\n",
     "4:36: \"3KiB\" is not a power of two"},
    {"disks: {src: {size: 1MiB, latency: 5}, dst: {size: 1MiB}}\n",
     "4:36: \"5\" needs a unit: 5s, 5ms, 5us or 5ns?"},
    {"disks: {src: {size: 1MiB, latency: {read: {uniform: [2ms, 1ms]}}}, dst: {size: 1MiB}}\n",
     "4:43: the greater time comes second"},
    {"disks: {src: {size: 1MiB, latency: {read: {p50: 2ms}}}, dst: {size: 1MiB}}\n",
     "4:43: a distribution is one of {uniform: [a, b]}, {exponential: mean} and {p50: a, p99: b}"},
    {"disks: {src: {size: 1MiB, backing: base}, dst: {size: 1MiB}, base: {size: 1MiB, backing: "
     "src}}\n",
     "4:14: disk \"src\" is its own backing file, in the end\n"
     "4:68: disk \"base\" is its own backing file, in the end"},
    {"disks: {src: {size: 1MiB, allocated: [{at: 512KiB, len: 1MiB}]}, dst: {size: 1MiB}}\n",
     "4:39: 512KiB + 1MiB goes beyond disk \"src\", which ends at 1MiB"},
    {"disks: {src: {size: 1MiB, allocated: some}, dst: {size: 1MiB}}\n",
     "4:38: allocated is all, none or a list of ranges"},
    {"disks: {src: {size: 1MiB, lanes: 0}, dst: {size: 1.0001KiB}}\n",
     "4:34: \"0\" is too small: the least is 1\n"
     "4:50: \"1.0001KiB\" is no whole number of the smallest unit"},
    {"disks: {src: {}, dst: {size: 1MiB}}\n", "4:14: disk needs the key \"size\""},
    {"disks: {src: {size: 1MiB}, src: {size: 1MiB}, dst: {size: 1MiB}}\n",
     "4:28: key \"src\" is here twice"},
    {"disks: {\"a b\": {size: 1MiB}, src: {size: 1MiB}, dst: {size: 1MiB}}\n",
     "4:9: \"a b\" can't name a disk: a name is up to 64 letters, digits, '-', '_' and '.'"},
    {"disks: {no: {size: 1MiB}, src: {size: 1MiB}, dst: {size: 1MiB}}\n",
     "4:9: \"no\" is a boolean or null to YAML: use another word, or quote it"},
    {"faults: {bad: {match: {disk: dst, op: wirte}, error: EIO}}\n",
     "4:39: \"wirte\" is no operation; did you mean \"write\"?"},
    {"faults: {bad: {match: {disk: dst}, error: EOI}}\n",
     "4:43: \"EOI\" is no error; did you mean \"EIO\"?"},
    {"faults: {bad: {match: {disk: dst}}}\n",
     "4:15: a fault does one of error, hang, hold, delay, latency, full, lost, torn, "
     "corrupt, claims, latent, stale and misdirect"},
    {"faults: {bad: {match: {disk: dst}, error: EIO, hang: true}}\n",
     "4:15: a fault does one of error, hang, hold, delay, latency, full, lost, torn, "
     "corrupt, claims, latent, stale and misdirect"},
    {"faults: {bad: {match: {op: block-status}, lost: true}}\n",
     "4:23: this fault can't hit block-status, which moves nothing that could be lost; \"claims\" "
     "makes an answer wrong"},
    {"faults: {bad: {match: {op: [read, getlength]}, delay: 1s}}\n",
     "4:23: this fault can't hit getlength, which takes no time: all it can do is fail"},
    {"faults: {bad: {match: {op: flush}, torn: true}}\n",
     "4:23: this fault can't hit flush, which moves no sectors"},
    {"faults: {bad: {match: {op: write}, error: EIO, drops: now}}\n",
     "4:55: only a flush of the job drops anything"},
    {"faults: {bad: {match: {op: flush}, error: EIO, drops: now}}\n",
     "4:55: only a disk with \"cache: volatile\" has something to drop"},
    {"faults: {bad: {match: {disk: src}, latent: EIO}}\n",
     "4:15: \"latent\" needs one disk, and a range that overlaps"},
    {"faults: {bad: {match: {op: write}, stale: true}}\n",
     "4:23: this fault can't hit write, which does not read"},
    {"faults: {bad: {match: {op: write}, claims: hole}}\n",
     "4:23: this fault can't hit write, which asks for nothing that is data, zero or a hole"},
    {"faults: {bad: {match: {disk: dst}, claims: hole}}\n",
     "4:15: \"claims\" needs an op: block-status, content-status or all-zero"},
    {"faults: {bad: {match: {op: block-status}, claims: zero}}\n",
     "4:23: this fault can't hit block-status, which says only whether a place is allocated: data "
     "or hole"},
    {"faults: {bad: {error: EIO}}\n", "4:15: fault needs the key \"match\""},
    {"faults: {bad: {match: {}, error: EIO, times: never}}\n",
     "4:46: \"never\" is no number; write for example 3 or forever"},
    {"faults: {bad: {match: {nth: 0}, error: EIO}}\n", "4:29: \"0\" is too small: the least is 1"},
    {"faults: {bad: {match: {}, delay: 5ms, applied: all}}\n",
     "4:48: only an error leaves part of a write behind"},
    {"faults: {bad: {match: {}, error: EIO, probability: 10}}\n",
     "4:52: \"10\" needs a unit: 10%?"},
    {"faults: {bad: {match: {}, error: EIO, from: {mark: nowhere}}}\n",
     "4:52: no mark is called \"nowhere\""},
    {"faults: {bad: {match: {}, error: EIO, optional: yes}}\n",
     "4:49: \"yes\" is a boolean or null to YAML: use another word, or quote it"},
    {"faults: {bad: {match: {disk: src, overlaps: {at: 1MiB, len: 1}}, error: EIO}}\n",
     "4:45: 1MiB + 1 goes beyond disk \"src\", which ends at 1MiB"},
    {"faults: {bad: {match: {overlaps: chunk}, error: EIO}}\n",
     "4:34: \"chunk\" is no range: write {at: 64KiB, len: 4KiB} or the name of a variable"},
    {"expect: [{guest: {of: bad, errors-at-most: 0}}]\n",
     "4:23: no guest request is called \"bad\""},
    {"expect: [{for: {case: {x: 1}, expect: [{result: OK}]}}]\n",
     "4:24: no name of the matrix is called \"x\""},
    {"steps: [start, {repeat: {times: 2, steps: [{mark: m}]}}]\n",
     "4:44: a hold or a mark has a name of its own, so that it can't be repeated; a hold can be "
     "armed "
     "before, with \"times\""},
    {"steps: [start, {wait: {guest: bad}}]\n", "4:31: no guest request is called \"bad\""},
    {"steps: [start, {resize: src}]\n",
     "4:17: there is no step \"resize\": the job keeps others from it; use shows that"},
    {"guest: {a: {op: getlength, at: 0}}\n",
     "4:12: a guest request is one of read, write, write-zeroes, discard and flush\n"
     "4:17: a guest request is one of read, write, write-zeroes, discard and flush"},
    {"guest: {a: {op: write, at: 0}}\n", "4:12: this operation needs a range"},
    {"steps: [start, stop]\n",
     "4:16: there is no step \"stop\"; there are start, complete, cancel, pause, resume, "
     "set-speed, guest, hold, release, mark, power-cut, use, query, query-disk, job, wait, at, "
     "repeat, settle"},
    {"steps: [start, 5ms]\n",
     "4:16: there is no step \"5ms\"; there are start, complete, cancel, pause, resume, set-speed, "
     "guest, hold, release, mark, power-cut, use, query, query-disk, job, wait, at, "
     "repeat, settle"},
    {"steps: [start, {wait: concluded, within: 5ms}]\n",
     "4:16: a step is one word or one {key: value}, and this is a mapping of several keys"},
    {"steps: [start, {complete: {saying: busy}}]\n",
     "4:27: \"saying\" is about a refusal: \"refused\" is missing"},
    {"steps: [start, {query-disk: {io-status: ok}}]\n", "4:29: query-disk needs the key \"disk\""},
    {"steps: [start, wait]\n", "4:16: \"wait\" needs to say more: {wait: ...}"},
    {"steps: []\n", "4:8: a scenario needs a step, such as start"},
    {"steps: [complete]\n", "4:9: this step can never happen: no job has been started before it"},
    {"steps: [{query: {is: ready}}, start]\n",
     "4:9: this step can never happen: no job has been started before it"},
    {"steps: [start, {release: h}, {hold: {name: h, match: {}}}]\n",
     "4:16: this step can never happen: the hold comes later"},
    {"steps: [start, {wait: {held: h}}]\n", "4:30: no fault or hold is called \"h\""},
    {"steps: [start, {at: 5ms}, {at: 4ms}]\n",
     "4:27: this step can never happen: its time has passed when it is reached"},
    {"steps: [start, {hold: {match: {}}}]\n", "4:23: hold needs the key \"name\""},
    {"steps: [start, {hold: {name: h, match: {}}}, {hold: {name: h, match: {}}}]\n",
     "4:60: a second fault or hold is called \"h\""},
    {"steps: [start, {complete: {refused: not-redy}}]\n",
     "4:37: \"not-redy\" is no reason for a refusal; did you mean \"not-ready\"?"},
    {"steps: [start, {guest: {write: {at: 1MiB, len: 512}}}]\n",
     "4:32: 1MiB + 512 goes beyond disk \"src\", which ends at 1MiB"},
    {"steps: [start, {guest: {write: {at: 100, len: 512}}}]\n",
     "4:37: \"100\" is not a multiple of 512"},
    {"steps: [start, {guest: {tag: a}}]\n",
     "4:24: a guest request is one of read, write, write-zeroes, discard and flush"},
    {"steps: [start, {guest: {flush: true, read: {at: 0, len: 512}}}]\n",
     "4:32: a guest request does one thing"},
    {"guest: {a: {flush: true, at: 0}}\nsteps: [start, {guest: {flush: true, tag: a}}]\n",
     "4:9: a second guest request has the tag \"a\""},
    {"steps: [start, {wait: {event: redy}}]\n",
     "4:31: \"redy\" is no event; did you mean \"ready\"?"},
    {"steps: [start, {wait: {nth: 2}}]\n",
     "4:23: this says no event: give one of event, request, held, released, fault and mark"},
    {"steps: [start, {wait: {event: ready, action: stop}}]\n",
     "4:46: this event has no error action"},
    {"steps: [start, {wait: {event: ready, held: h}}, {hold: {name: h, match: {}}}]\n",
     "4:16: this step can never happen: the hold comes later\n"
     "4:44: a second event: one of event, request, held, released, fault and mark is enough"},
    {"steps: [start, {wait: {event: ready, phase: done}}]\n", "4:45: only a request has a phase"},
    {"steps: [start, {query: {offset: {at-lest: 5}}}]\n",
     "4:34: unknown key \"at-lest\" in a comparison; did you mean \"at-least\"?"},
    {"steps: [start, {job: gone}]\n", "4:22: the only check of a job's existence is {job: none}"},
    {"steps: [start, {set-speed: 5}]\n",
     "4:28: \"5\" needs a unit: 5GiB/s, 5MiB/s, 5KiB/s or 5B/s?"},
    {"guest: {a: {write: {at: 0, len: 512}}}\n",
     "4:12: a guest request comes either `at` a time or `when` an event happens"},
    {"guest: {a: {at: 1ms, when: ready, flush: true}}\n",
     "4:12: a guest request comes either `at` a time or `when` an event happens"},
    {"guest: {a: {at: 1ms, after: 1ms, flush: true}}\n",
     "4:29: `after` belongs to `when`, not to `at`"},
    {"guest: {a: {rate: 1MiB/s}}\n",
     "4:12: a guest request is one of read, write, write-zeroes, discard and flush"},
    {"guest: {a: {rate: 1MiB/s, every: 1ms, flush: true}}\n",
     "4:12: a generator has one pace: rate: 8MiB/s, every: 1ms, outstanding: 4, or replay: FILE"},
    {"guest: {a: {mix: [{flush: true}]}}\n",
     "4:12: a generator has one pace: rate: 8MiB/s, every: 1ms, outstanding: 4, or replay: FILE"},
    {"guest: {a: {every: 0, flush: true}}\n", "4:20: \"0\" is too small: the least is 1ns"},
    {"guest: {a: {outstanding: 1025, flush: true}}\n",
     "4:26: \"1025\" is too large: the most is 1024"},
    {"guest: {a: {every: 1ms, think: 1ms, flush: true}}\n",
     "4:32: `think` belongs to `outstanding`: it follows a request that has finished"},
    {"guest: {a: {every: 1ms, at: 5ms, flush: true}}\n",
     "4:25: unknown key \"at\" in a generator; its keys are rate, every, outstanding, replay, "
     "think, mix, "
     "write, write-zeroes, discard, read, flush, latency, from, when, after, count, bytes, until, "
     "optional"},
    {"guest: {a: {every: 1ms, mix: []}}\n", "4:30: a mix is of 1 to 1000 requests"},
    {"guest: {a: {every: 1ms, mix: [{flush: true}], flush: true}}\n",
     "4:12: with a mix, requests stand in it, not beside it"},
    {"guest: {a: {every: 1ms, mix: [{wieght: 1, flush: true}]}}\n",
     "4:32: unknown key \"wieght\" in a request of a mix; did you mean \"weight\"?"},
    {"guest: {a: {every: 1ms, after: 1ms, flush: true}}\n", "4:32: `after` belongs to `when`"},
    {"guest: {a: {every: 1ms, from: 1ms, when: ready, flush: true}}\n",
     "4:31: a generator begins either `from` a time or `when` an event happens"},
    {"guest: {a: {every: 1ms, from: 3ms, until: 2ms, flush: true}}\n",
     "4:43: it ends before it begins"},
    {"guest: {a: {every: 1ms, until: {mark: m}, flush: true}}\n", "4:39: no mark is called \"m\""},
    {"guest: {a: {every: 1ms, write: {at: {zipf: 2.5}}}}\n",
     "4:44: \"2.5\" is too large: the most is 2"},
    {"guest: {a: {every: 1ms, write: {at: {zipf: 1, uniform: true}}}}\n",
     "4:44: a place follows one distribution"},
    {"guest: {a: {every: 1ms, write: {at: {align: 4KiB}}}}\n",
     "4:37: a place follows sequential, uniform, zipf or hot; a fixed one is written at: 64KiB"},
    {"guest: {a: {every: 1ms, write: {at: {range: [0, 4KiB]}}}}\n",
     "4:37: a generator draws from {choose: [...]} for each request, not from a range"},
    {"guest: {a: {every: 1ms, write: {at: {choose: []}}}}\n",
     "4:46: choose needs something to choose from"},
    {"guest: {a: {every: 1ms, write: {at: uniform, len: 2MiB}}}\n",
     "4:32: requests of 2MiB find no room in 1MiB"},
    {"guest: {a: {every: 1ms, write: {at: {choose: [0, 1020KiB]}, len: 8KiB}}}\n",
     "4:32: 1020KiB + 8KiB goes beyond disk \"src\", which ends at 1MiB"},
    {"guest: {a: {every: 1ms, write: {at: {uniform: true, in: {at: 1MiB, len: 4KiB}}}}}\n",
     "4:57: 1MiB + 4KiB goes beyond disk \"src\", which ends at 1MiB"},
    {"guest: {a: {every: 1ms, read: {at: {hot: {share: 90%, of: {at: 64KiB, len: 4KiB}}, in: "
     "{at: 0, len: 64KiB}}}}}\n",
     "4:59: the hot part goes beyond the range of the requests"},
    {"react: [{when: ready, do: {wait: 5ms}}]\n",
     "4:27: \"wait\" takes time: it can be a step, not a reaction"},
    {"react: [{when: {event: error, acton: stop}, do: resume}]\n",
     "4:31: unknown key \"acton\" in an event; did you mean \"action\"?"},
    {"react: [{do: resume}]\n", "4:9: reaction needs the key \"when\""},
    {"expect: [{fired: {bad: 1}}]\n", "4:19: no fault or hold is called \"bad\""},
    {"expect: [{sector: {disk: dst, at: 0, tag: new}}]\n",
     "4:43: no guest request is called \"new\""},
    {"expect: [{sector: {disk: dst, at: 2MiB, zero: true}}]\n",
     "4:19: 2MiB + 512 goes beyond disk \"dst\", which ends at 2MiB"},
    {"expect: [{sector: {disk: dst, at: 0}}]\n", "4:19: a sector holds one of tag, fill and zero"},
    {"expect: [{same: [src]}]\n", "4:17: name two disks, [a, b]"},
    {"expect: [{same: {disks: [src, dst], at: 0}}]\n",
     "4:17: a part of a disk has both `at` and `len`"},
    {"expect: [{same: {disks: [src, dst], at: 1MiB, len: 512}}]\n",
     "4:17: 1MiB + 512 goes beyond disk \"src\", which ends at 1MiB"},
    {"expect: [{events: [started]}]\n", "4:20: `events` lists ready, error, paused, resumed, "
                                        "completed and cancelled; for others use in-order"},
    {"expect: [{count: ready}]\n", "4:18: say how often: {event: ..., times: 1}"},
    {"expect: [{within: {event: ready}}]\n", "4:19: say when: {event: ..., time: 5ms}"},
    {"expect: [{never: ready, result: OK}]\n",
     "4:10: an expectation is one {key: value}, and this is a mapping of several keys"},
    {"expect: [ready]\n", "4:10: an expectation is one {key: value}, and this is a word"},
    {"expect: [{result: GOOD}]\n", "4:19: \"GOOD\" is no result; write for example OK or EIO"},
    {"matrix: {a: [1, 2]}\n", "4:10: matrix name \"a\" is never used"},
    {"matrix: {a: []}\n", "4:10: matrix name \"a\" is never used\n"
                          "4:13: a matrix name stands for a list, [a, b]"},
    {"matrix: {a: 1}\n", "4:10: matrix name \"a\" is never used\n"
                         "4:13: a matrix name stands for a list, [a, b]"},
    {"matrix: [a]\n", "4:9: matrix must be a mapping, {name: [value, ...]}"},
    {"vars: {a: {at: 0, len: 512}, b: \"${a}\"}\n",
     "4:33: a variable can use the names of the matrix only"},
    {"vars: {policy: \"${polcy}\"}\n", "4:16: a variable can use the names of the matrix only"},
    {"doc2: x\n", "4:1: unknown key \"doc2\" in scenario; did you mean \"doc\"?"},
    {"explore: {schedule: fast}\n", "4:21: \"fast\" is no schedule; there are exhaustive, random"},
    {"limits: {time: 5, evnts: 3}\n",
     "4:16: \"5\" needs a unit: 5s, 5ms, 5us or 5ns?\n"
     "4:19: unknown key \"evnts\" in limits; did you mean \"events\"?"},
    {"xfail: {engine: qemu, findin: content}\n",
     "4:23: unknown key \"findin\" in xfail; did you mean \"finding\"?"},
    {"xfail: {case: x}\n", "4:15: case must be a mapping, {key: value, ...}"},
    {"matrix: {speed: [1, 2]}\nxfail: {bug: \"${speed}\", case: {sped: 1}}\n",
     "5:33: no name of the matrix is called \"sped\"; did you mean \"speed\"?"},
    {"matrix: {speed: [1, 2]}\nxfail: {bug: \"${speed}\", case: {speed: [1, 3]}}\n",
     "5:44: matrix name speed has no value \"3\""},
    {"choices: [{at: \"choose 9:9\", pick: 1}]\n",
     "4:16: there is no choose or range at that place"},
    {"choices: [{at: order}]\n", "4:11: a choice needs the key \"pick\""},
    {"tags: [a, {b: c}]\n", "4:11: expected a line of text here, not a mapping"},
    {"refs: x\n", "4:7: refs must be a list, [...]"},
    {"job: {mirror: src, to: dst, granularity: {choose: [64KiB, 1KB]}}\n",
     "4:59: \"1KB\" has an unknown unit; did you mean \"1KiB\"?"},
    {"job: {mirror: src, to: dst, granularity: {choose: []}}\n",
     "4:51: choose needs something to choose from"},
    {"job: {mirror: src, to: dst, granularity: {range: [1MiB, 512]}}\n",
     "4:42: the range ends before it begins"},
    {"job: {mirror: src, to: dst, speed: {range: [0, 1TiB/s]}}\n",
     "4:36: the range has more than 2^31 values: give it a step"},
    {"job: {mirror: src, to: dst, sync: {range: [1, 2]}}\n",
     "4:35: a sync mode can't be left to a range; use choose"},
    {"disks: {src: {size: {choose: [1MiB, 64KiB]}}, dst: {size: 1MiB}}\n"
     "steps: [start, {guest: {write: {at: {range: [0, 64KiB]}, len: 512}}}]\n",
     "5:32: 64KiB + 512 goes beyond disk \"src\", which ends at 64KiB"},
    {"matrix: {p: [stop, halt]}\n"
     "job: {mirror: src, to: dst, on-target-error: \"${p}\"}\n",
     "4:20: \"halt\" is no error policy; there are report, ignore, stop, enospc (line 5 uses it "
     "as ${p})"},
    {"matrix: {p: [stop]}\n"
     "job: {mirror: src, to: dst, on-target-error: \"${p}\", sync: \"${q}\"}\n",
     "5:60: no matrix name or variable is called \"q\"; did you mean \"p\"?"},
    {"vars: {c: {at: 0, len: 4KiB}}\n"
     "job: {mirror: src, to: dst, granularity: \"${c}\"}\n",
     "4:11: expected a size here, not a mapping"},
    {"vars: {c: {at: 0, len: 4KiB}}\n"
     "job: {mirror: src, to: dst, granularity: \"1${c}\"}\n",
     "5:42: \"c\" is no text: it can't be part of one"},
    {"vars: {c: 4}\n"
     "job: {mirror: src, to: dst, granularity: \"${c\"}\n",
     "5:42: \"${\" without \"}\""},
    {"job: *x\n", "4:6: aliases (*name) are not allowed: use `vars`"},
    {"disks: &x {src: {size: 1MiB}, dst: {size: 1MiB}}\n",
     "4:8: anchors (&name) are not allowed: use `vars`"},
    {"tags: !!str [a]\n", "4:7: tags (!name) are not allowed: leave it out"},
    {"limits: {time: null}\n",
     "4:16: \"null\" is a boolean or null to YAML: use another word, or quote it"},
    {"limits: {time: }\n", "4:16: a value is missing here (a word that stands alone has no colon)"},
    {"job: {mirror: src, to: dst\n"
     "steps: [start]\n",
     "5:6: this is not YAML: did not find expected ',' or '}', while parsing a flow mapping that "
     "begins at 4:6"},
    {"steps:\n"
     "  - start\n"
     "	- complete\n",
     "6:1: this is not YAML: found a tab character that violates indentation, while scanning a "
     "plain scalar that begins at 5:5"},
    {"job: {mirror: src, to: dst}\n"
     "---\n"
     "job: {mirror: src, to: dst}\n",
     "5:1: a second document: a file holds one scenario"},
    {"? [a]\n"
     ": b\n",
     "4:3: a key must be a word"},
};

/* Each file has exactly these mistakes: none is missed, none follows from another. */
static void test_mistakes_are_these_when_the_file_is_wrong(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(wrongs); i++) {
        struct scenario *scenario = load_sections(wrongs[i].sections);
        char *mistakes = load_list_mistakes(scenario);

        assert_string_equal(mistakes, wrongs[i].mistakes);
        free(mistakes);
        scenario_free(scenario);
    }
}

/* The place, the sentence, the line, and a caret under the column. */
static void test_mistakes_show_the_line_when_they_are_formatted(void **state)
{
    struct scenario *scenario = load_sections("job: {mirror: src, to: dts}\n");
    char *text = mistakes_format("a/b.yaml", scenario_mistakes(scenario));

    (void)state;
    assert_string_equal(text, "a/b.yaml:4:24: no disk is called \"dts\"; did you mean \"dst\"?\n"
                              "    job: {mirror: src, to: dts}\n"
                              "                           ^\n");
    free(text);
    scenario_free(scenario);
}

/* Of a long line only the part around the column is shown. */
static void test_mistakes_show_a_part_when_the_line_is_long(void **state)
{
    struct scenario *scenario;
    char sections[1200];
    char *text;

    (void)state;
    memset(sections, ' ', 1000);
    memcpy(sections, "job: {mirror: src,", 18);
    strcpy(sections + 1000, "to: dts}\n");
    scenario = load_sections(sections);
    text = mistakes_format("f", scenario_mistakes(scenario));
    assert_non_null(strstr(text, "f:4:1005: "));
    assert_non_null(strstr(text, "    ...     "));
    assert_non_null(strstr(text, "to: dts}\n"));
    assert_true(strlen(text) < 400);
    free(text);
    scenario_free(scenario);
}

/* Of many mistakes the first ones are shown, and all are counted. */
static void test_mistakes_are_counted_when_there_are_too_many(void **state)
{
    struct scenario *scenario;
    char sections[2000] = "";
    char *text;

    (void)state;
    for (int i = 0; i < 60; i++) {
        sprintf(sections + strlen(sections), "bad-key-%d: 1\n", i);
    }
    scenario = load_sections(sections);
    assert_int_equal(scenario_mistakes(scenario)->count, YAML_MAX_MISTAKES);
    assert_int_equal(scenario_mistakes(scenario)->dropped, 10);
    assert_int_equal(scenario_mistakes(scenario)->list[49].line, 53);
    text = mistakes_format("f", scenario_mistakes(scenario));
    assert_non_null(strstr(text, "f: and 10 more mistakes\n"));
    free(text);
    scenario_free(scenario);
}

/* A file's text cannot send control characters to the terminal. */
static void test_mistakes_are_printable_when_the_text_is_not(void **state)
{
    struct scenario *scenario = load_sections("job: {mirror: \"\\e[31m\\x07\", to: dst}\n");
    char *text = mistakes_format("f", scenario_mistakes(scenario));

    (void)state;
    assert_non_null(strstr(text, "no disk is called \"?[31m?\""));
    assert_null(strchr(text, '\x1b'));
    free(text);
    scenario_free(scenario);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mistakes_are_these_when_the_file_is_wrong),
        cmocka_unit_test(test_mistakes_show_the_line_when_they_are_formatted),
        cmocka_unit_test(test_mistakes_show_a_part_when_the_line_is_long),
        cmocka_unit_test(test_mistakes_are_counted_when_there_are_too_many),
        cmocka_unit_test(test_mistakes_are_printable_when_the_text_is_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
