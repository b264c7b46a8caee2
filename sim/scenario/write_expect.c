/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Writing a plan: generators of the guest, and expectations.
 */
#include "sim/scenario/write.h"

#include "engine/range.h"
#include "sim/scenario/private.h"

#define PPM UINT64_C(1000000)

/* ---- Generators ---- */

/* One value, or {choose: [...]}. */
static void write_values(FILE *file, const uint64_t *values, uint32_t count)
{
    if (count == 1) {
        value_write(file, &type_bytes, (int64_t)values[0]);
        return;
    }
    fputs("{choose: [", file);
    for (uint32_t i = 0; i < count; i++) {
        fputs(i == 0 ? "" : ", ", file);
        value_write(file, &type_bytes, (int64_t)values[i]);
    }
    fputs("]}", file);
}

/* A part that is no whole sectors was a share of the range. */
static void write_hot(struct flow *place, const struct address_spec *address)
{
    struct flow hot = {place->file, false};

    flow_key(place, "hot");
    flow_value(&hot, "share", &type_probability, address->share_ppm);
    flow_key(&hot, "of");
    if ((address->hot_offset | address->hot_bytes) % SECTOR_BYTES == 0) {
        write_range(hot.file, address->offset + address->hot_offset, address->hot_bytes);
    } else {
        value_write(hot.file, &type_probability,
                    (int64_t)div_round_up(address->hot_bytes * PPM, address->bytes));
    }
    flow_end(&hot);
}

static void write_place(FILE *file, const struct address_spec *address)
{
    struct flow place = {file, false};

    switch (address->kind) {
    case ADDRESS_LIST:
        write_values(file, address->places, address->place_count);
        return;
    case ADDRESS_SEQUENTIAL:
        flow_text(&place, "sequential", "true");
        break;
    case ADDRESS_UNIFORM:
        flow_text(&place, "uniform", "true");
        break;
    case ADDRESS_ZIPF:
        flow_value(&place, "zipf", &type_theta, address->theta);
        break;
    case ADDRESS_HOT:
        write_hot(&place, address);
        break;
    }
    flow_value(&place, "align", &type_sectors_length, (int64_t)address->align);
    flow_key(&place, "in");
    write_range(file, address->offset, address->bytes);
    flow_end(&place);
}

static void write_mix(const struct mix_spec *mix, FILE *file)
{
    struct flow flow = {file, false};
    struct flow request = {file, false};

    flow_value(&flow, "weight", &type_weight, (int64_t)mix->weight);
    if (mix->request.op == OP_FLUSH) {
        flow_text(&flow, "flush", "true");
    } else {
        flow_key(&flow, op_name(mix->request.op));
        flow_key(&request, "at");
        write_place(file, &mix->address);
        flow_key(&request, "len");
        write_values(file, mix->lengths, mix->length_count);
        flow_end(&request);
    }
    if (mix->request.has_latency) {
        flow_value(&flow, "latency", &type_time, (int64_t)mix->request.latency_ns);
    }
    flow_end(&flow);
}

static void write_pace(struct flow *generator, const struct generator_spec *spec)
{
    switch (spec->pace) {
    case PACE_RATE:
        flow_value(generator, "rate", &type_bandwidth, (int64_t)spec->rate);
        break;
    case PACE_EVERY:
        flow_value(generator, "every", &type_span, (int64_t)spec->every_ns);
        break;
    case PACE_OUTSTANDING:
        flow_value(generator, "outstanding", &type_outstanding, (int64_t)spec->outstanding);
        if (spec->think_ns > 0) {
            flow_value(generator, "think", &type_time, (int64_t)spec->think_ns);
        }
        break;
    }
}

static void write_beginning(struct flow *generator, const struct plan *plan,
                            const struct generator_spec *spec)
{
    struct flow when = {generator->file, false};

    if (!spec->has_when) {
        if (spec->from_ns > 0) {
            flow_value(generator, "from", &type_time, (int64_t)spec->from_ns);
        }
        return;
    }
    flow_key(generator, "when");
    write_event_match(&when, plan, &spec->when);
    if (spec->nth > 0) {
        flow_value(&when, "nth", &type_count, (int64_t)spec->nth);
    }
    flow_end(&when);
    if (spec->after_ns > 0) {
        flow_value(generator, "after", &type_time, (int64_t)spec->after_ns);
    }
}

static void write_bounds(struct flow *generator, const struct plan *plan,
                         const struct generator_spec *spec)
{
    if (spec->count > 0) {
        flow_value(generator, "count", &type_count, (int64_t)spec->count);
    }
    if (spec->bytes > 0) {
        flow_value(generator, "bytes", &type_bytes_length, (int64_t)spec->bytes);
    }
    if (spec->until_mark != PLAN_NONE) {
        flow_key(generator, "until");
        fprintf(generator->file, "{mark: %s}", plan->marks[spec->until_mark]);
    } else if (spec->until_ns > 0) {
        flow_value(generator, "until", &type_span, (int64_t)spec->until_ns);
    }
    if (spec->optional) {
        flow_text(generator, "optional", "true");
    }
}

void write_generator(const struct plan *plan, const struct generator_spec *spec, FILE *file)
{
    struct flow generator = {file, false};

    fprintf(file, "  %s: ", spec->name);
    write_pace(&generator, spec);
    write_beginning(&generator, plan, spec);
    write_bounds(&generator, plan, spec);
    flow_key(&generator, "mix");
    for (uint32_t i = 0; i < spec->mix_count; i++) {
        fputs(i == 0 ? "[" : ", ", file);
        write_mix(&spec->mix[i], file);
    }
    fputc(']', file);
    flow_end(&generator);
    fputc('\n', file);
}

/* ---- Expectations ---- */

static void write_event(const struct plan *plan, const struct event_match *match, FILE *file)
{
    struct flow flow = {file, false};

    if (event_is_bare(match)) {
        fputs(event_kind_name((enum event_kind)__builtin_ctzll(match->kinds)), file);
        return;
    }
    write_event_match(&flow, plan, match);
    flow_end(&flow);
}

static void write_events(const struct plan *plan, const struct expect_spec *expect, FILE *file)
{
    fputc('[', file);
    for (uint32_t i = 0; i < expect->match_count; i++) {
        fputs(i == 0 ? "" : ", ", file);
        write_event(plan, &expect->matches[i], file);
    }
    fputc(']', file);
}

/* An event and how often, or when. */
static void write_measured(const struct plan *plan, const struct expect_spec *expect,
                           const char *key, const struct value_type *type, uint64_t value,
                           FILE *file)
{
    struct flow flow = {file, false};

    write_event_match(&flow, plan, &expect->matches[0]);
    flow_value(&flow, key, type, (int64_t)value);
    flow_end(&flow);
}

static void write_comparison(const struct plan *plan, const struct expect_spec *expect, FILE *file)
{
    struct flow flow = {file, false};

    if (expect->bytes == 0) {
        fprintf(file, "[%s, %s]", plan->disks[expect->a].name, plan->disks[expect->b].name);
        return;
    }
    flow_key(&flow, "disks");
    fprintf(file, "[%s, %s]", plan->disks[expect->a].name, plan->disks[expect->b].name);
    flow_value(&flow, "at", &type_sectors, (int64_t)expect->offset);
    flow_value(&flow, "len", &type_sectors_length, (int64_t)expect->bytes);
    flow_end(&flow);
}

static void write_sector(const struct plan *plan, const struct expect_spec *expect, FILE *file)
{
    struct flow flow = {file, false};

    flow_text(&flow, "disk", plan->disks[expect->a].name);
    flow_value(&flow, "at", &type_sectors, (int64_t)expect->offset);
    switch (expect->content) {
    case SECTOR_GUEST_TAG:
        flow_text(&flow, "tag", expect->tag);
        break;
    case SECTOR_FILL_OF:
        flow_text(&flow, "fill", plan->disks[expect->b].name);
        break;
    case SECTOR_ZERO:
        flow_text(&flow, "zero", "true");
        break;
    }
    flow_end(&flow);
}

/* {NAME: value} */
static void write_amount(const char *name, const struct value_type *type, uint64_t amount,
                         FILE *file)
{
    struct flow flow = {file, false};

    flow_value(&flow, name, type, (int64_t)amount);
    flow_end(&flow);
}

static const char *expect_key(enum expect_kind kind)
{
    static const char *const keys[] = {
        [EXPECT_RESULT] = "result",     [EXPECT_CANCELLED] = "ended",
        [EXPECT_EVENTS] = "events",     [EXPECT_IN_ORDER] = "in-order",
        [EXPECT_NEVER] = "never",       [EXPECT_AT_MOST] = "atmost",
        [EXPECT_COUNT] = "count",       [EXPECT_SAME] = "same",
        [EXPECT_DIFFER] = "differ",     [EXPECT_SECTOR] = "sector",
        [EXPECT_WITHIN] = "within",     [EXPECT_NOT_BEFORE] = "not-before",
        [EXPECT_FIRED] = "fired",       [EXPECT_CONCLUDED] = "concluded",
        [EXPECT_GUEST_STALL] = "guest", [EXPECT_GUEST_ON] = "guest-on",
        [EXPECT_BACKING] = "backing",   [EXPECT_LENGTH] = "length",
        [EXPECT_QUERY] = "query",       [EXPECT_ALLOCATED] = "allocated",
    };

    return keys[kind];
}

static void write_expect(const struct plan *plan, const struct expect_spec *expect, FILE *file)
{
    switch (expect->kind) {
    case EXPECT_RESULT:
        value_write(file, &type_result, expect->ret);
        break;
    case EXPECT_CANCELLED:
        fputs("cancelled", file);
        break;
    case EXPECT_NEVER:
        if (expect->match_count == 1) {
            write_event(plan, &expect->matches[0], file);
            break;
        }
        write_events(plan, expect, file);
        break;
    case EXPECT_EVENTS:
    case EXPECT_IN_ORDER:
        write_events(plan, expect, file);
        break;
    case EXPECT_AT_MOST:
    case EXPECT_COUNT:
        write_measured(plan, expect, "times", &type_number, expect->count, file);
        break;
    case EXPECT_WITHIN:
    case EXPECT_NOT_BEFORE:
        write_measured(plan, expect, "time", &type_time, expect->time_ns, file);
        break;
    case EXPECT_SAME:
    case EXPECT_DIFFER:
        write_comparison(plan, expect, file);
        break;
    case EXPECT_SECTOR:
        write_sector(plan, expect, file);
        break;
    case EXPECT_FIRED:
        write_amount(plan->faults[expect->a].name, &type_number, expect->count, file);
        break;
    case EXPECT_CONCLUDED:
        if (expect->time_ns > 0) {
            write_amount("within", &type_time, expect->time_ns, file);
        } else {
            fputs("true", file);
        }
        break;
    case EXPECT_GUEST_STALL:
        write_amount("stalled-at-most", &type_time, expect->time_ns, file);
        break;
    case EXPECT_GUEST_ON:
        fputs(plan->disks[expect->a].name, file);
        break;
    case EXPECT_BACKING:
        fprintf(file, "{%s: %s}", plan->disks[expect->a].name,
                expect->b == PLAN_NONE ? "none" : plan->disks[expect->b].name);
        break;
    case EXPECT_LENGTH:
    case EXPECT_ALLOCATED:
        write_amount(plan->disks[expect->a].name, &type_bytes, expect->count, file);
        break;
    case EXPECT_QUERY:
        write_query_checks(file, expect->checks, expect->check_count);
        break;
    }
}

void write_expects(const struct plan *plan, FILE *file)
{
    if (plan->expect_count > 0) {
        fputs("expect:\n", file);
    }
    for (uint32_t i = 0; i < plan->expect_count; i++) {
        fprintf(file, "  - %s: ", expect_key(plan->expects[i].kind));
        write_expect(plan, &plan->expects[i], file);
        fputc('\n', file);
    }
}
