/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libgcc's unwinder, which finds its tables without a lock, and libdw.
 *
 * libdw opens the program's own debug information once, at the first death; it is told to look
 * for no other, so that it never asks a server for that of libraries.
 */
#include "tools/base/stack.h"

#include <dlfcn.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <unwind.h>

#ifdef MIRRORSIM_LIBDW
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>
#endif

/* ---- Capturing ---- */

/*
 * A return address is that of the next instruction, which may be another line's.  Only the frame
 * that a signal has interrupted is at its instruction; all before it are the handler's.
 */
static _Unwind_Reason_Code note_frame(struct _Unwind_Context *context, void *opaque)
{
    struct stack *stack = opaque;
    int is_exact = 0;
    uint64_t address = _Unwind_GetIPInfo(context, &is_exact);

    if (address == 0) {
        return _URC_END_OF_STACK;
    }
    if (is_exact) {
        stack->count = 0;
    }
    stack->frames[stack->count++] = address - (is_exact ? 0 : 1);
    return stack->count < STACK_FRAMES ? _URC_NO_REASON : _URC_END_OF_STACK;
}

void stack_capture(struct stack *stack)
{
    stack->count = 0;
    _Unwind_Backtrace(note_frame, stack);
}

/* ---- Telling ---- */

/* The text so far; what does not fit any more is left out, with all after it. */
struct telling {
    char *text;
    size_t length;
    bool skips;   /* calls that say nothing, before all others */
    bool is_over; /* what follows is of no interest, or does not fit */
};

/*
 * As the source tree has it: builds are told of files from the build's folder, and that may be
 * anywhere.
 */
static const char *short_path(const char *path)
{
    const char *root = &MIRRORSIM_SOURCE[1];
    size_t length = strlen(root);
    const char *below;

    for (const char *up = strstr(path, "../"); up != NULL; up = strstr(path, "../")) {
        path = up + 3;
    }
    below = *path == '/' ? path + 1 : path;
    return strncmp(below, root, length) == 0 && below[length] == '/' ? below + length + 1 : path;
}

/*
 * Calls that lead from a death to who notes it say nothing: they are in libraries, which have no
 * lines, and in isolate.c.  Nor do those that lead to the step of the world.
 */
static bool says_nothing(const char *path)
{
    return *path == '\0' || strcmp(path, "tools/run/isolate.c") == 0;
}

static void tell(struct telling *telling, const char *function, const char *path, int line)
{
    char one[300];
    size_t length;

    path = path != NULL ? short_path(path) : "";
    if (telling->is_over || (telling->skips && telling->length == 0 && says_nothing(path))) {
        return;
    }
    length =
        (size_t)(*path == '\0' ? snprintf(one, sizeof(one), "%s\n", function)
                               : snprintf(one, sizeof(one), "%s %s:%d\n", function, path, line));
    if (length >= sizeof(one) || telling->length + length >= STACK_TEXT_BYTES) {
        telling->is_over = true;
        return;
    }
    memcpy(telling->text + telling->length, one, length + 1);
    telling->length += length;
    telling->is_over = strcmp(function, "world_step") == 0;
}

#ifdef MIRRORSIM_LIBDW

/* Nested functions and blocks at one address; more are left out. */
#define MAX_SCOPES 64

/* No separate file with debug information is looked for. */
static int find_nothing(Dwfl_Module *module, void **userdata, const char *name, Dwarf_Addr base,
                        const char *file, const char *link, GElf_Word crc, char **path)
{
    (void)module, (void)userdata, (void)name, (void)base;
    (void)file, (void)link, (void)crc, (void)path;
    return -1;
}

/* The modules of this process; opened once, because it takes time; NULL if that fails. */
static Dwfl *open_modules(void)
{
    static const Dwfl_Callbacks callbacks = {.find_elf = dwfl_linux_proc_find_elf,
                                             .find_debuginfo = find_nothing};
    static Dwfl *modules;

    if (modules == NULL) {
        modules = dwfl_begin(&callbacks);
        if (modules != NULL && (dwfl_linux_proc_report(modules, getpid()) != 0 ||
                                dwfl_report_end(modules, NULL, NULL) != 0)) {
            dwfl_end(modules);
            modules = NULL;
        }
    }
    return modules;
}

static bool is_function(Dwarf_Die *die)
{
    int tag = dwarf_tag(die);

    return tag == DW_TAG_subprogram || tag == DW_TAG_inlined_subroutine;
}

/* Where an inlined function was called: the file is a number in the unit's list. */
static void find_call(Dwarf_Die *unit, Dwarf_Die *inlined, const char **path, int *line)
{
    Dwarf_Attribute attribute;
    Dwarf_Word number = 0;
    Dwarf_Files *files;

    *path = NULL;
    if (dwarf_formudata(dwarf_attr(inlined, DW_AT_call_file, &attribute), &number) == 0 &&
        dwarf_getsrcfiles(unit, &files, NULL) == 0) {
        *path = dwarf_filesrc(files, number, NULL, NULL);
    }
    number = 0;
    dwarf_formudata(dwarf_attr(inlined, DW_AT_call_line, &attribute), &number);
    *line = (int)number;
}

/* The entry below `die` that the address belongs to. */
static bool find_below(Dwarf_Die *die, Dwarf_Addr address, Dwarf_Die *found)
{
    bool has_one = dwarf_child(die, found) == 0;

    while (has_one && dwarf_haspc(found, address) != 1) {
        has_one = dwarf_siblingof(found, found) == 0;
    }
    return has_one;
}

/*
 * The functions at the address: the inlined ones, then the one that they are part of.  Not by
 * dwarf_getscopes(), which does not find what was inlined from another unit when it was linked.
 */
static bool tell_scopes(struct telling *telling, Dwarf_Die *unit, Dwarf_Addr address,
                        const char *path, int line)
{
    Dwarf_Die scopes[MAX_SCOPES + 1];
    bool told = false;
    int count = 0;

    if (unit == NULL) {
        return false;
    }
    scopes[0] = *unit;
    while (count < MAX_SCOPES && find_below(&scopes[count], address, &scopes[count + 1])) {
        count++;
    }
    for (; count > 0; count--) {
        if (is_function(&scopes[count]) && dwarf_diename(&scopes[count]) != NULL) {
            tell(telling, dwarf_diename(&scopes[count]), path, line);
            told = true;
            find_call(unit, &scopes[count], &path, &line);
        }
    }
    return told;
}

/* clang writes no table of units by address: then they are asked one by one. */
static Dwarf_Die *find_unit(Dwfl_Module *module, Dwarf_Addr address, Dwarf_Addr *bias)
{
    Dwarf_Die *unit = dwfl_module_addrdie(module, address, bias);

    if (unit == NULL) {
        unit = dwfl_module_nextcu(module, NULL, bias);
        while (unit != NULL && dwarf_haspc(unit, address - *bias) != 1) {
            unit = dwfl_module_nextcu(module, unit, bias);
        }
    }
    return unit;
}

static void tell_frame_of(struct telling *telling, Dwfl_Module *module, uint64_t address)
{
    Dwarf_Addr bias = 0;
    Dwarf_Die *unit = find_unit(module, address, &bias);
    Dwarf_Line *source = unit != NULL ? dwarf_getsrc_die(unit, address - bias) : NULL;
    const char *path = source != NULL ? dwarf_linesrc(source, NULL, NULL) : NULL;
    int line = 0;

    if (source != NULL) {
        dwarf_lineno(source, &line);
    }
    if (!tell_scopes(telling, unit, address - bias, path, line)) {
        const char *name = dwfl_module_addrname(module, address);

        tell(telling, name != NULL ? name : "?", path, line);
    }
}

static void tell_frame(struct telling *telling, uint64_t address)
{
    Dwfl *modules = open_modules();
    Dwfl_Module *module = modules != NULL ? dwfl_addrmodule(modules, address) : NULL;

    if (module != NULL) {
        tell_frame_of(telling, module, address);
    } else {
        tell(telling, "?", NULL, 0);
    }
}

#else

/* What addr2line(1) can make a line of. */
static void tell_frame(struct telling *telling, uint64_t address)
{
    char place[200] = "?";
    Dl_info info;

    if (dladdr((void *)(uintptr_t)address, &info) != 0 && info.dli_fname != NULL) {
        snprintf(place, sizeof(place), "%s+0x%" PRIx64, info.dli_fname,
                 address - (uint64_t)(uintptr_t)info.dli_fbase);
    }
    tell(telling, place, NULL, 0);
}

#endif

static void tell_all(struct telling *telling, const struct stack *stack)
{
    for (uint32_t i = 0; i < stack->count && !telling->is_over; i++) {
        tell_frame(telling, stack->frames[i]);
    }
}

void stack_describe(const struct stack *stack, char text[STACK_TEXT_BYTES])
{
    struct telling telling = {.text = text, .skips = true};

    *text = '\0';
    tell_all(&telling, stack);
    if (*text == '\0') { /* no call has a line: then all are shown */
        telling = (struct telling){.text = text};
        tell_all(&telling, stack);
    }
}
