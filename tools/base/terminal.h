/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The width of a terminal, and text that fits it.
 */
#ifndef MIRRORSIM_TOOLS_BASE_TERMINAL_H
#define MIRRORSIM_TOOLS_BASE_TERMINAL_H

#include <stdio.h>

/* Columns of the terminal that this stream writes to; 0: it is none, or does not say. */
unsigned terminal_columns(FILE *stream);

/*
 * Writes text in lines of so many columns, each indented, broken between words; a word that is
 * too long has its own line.  Ends with a newline.  0 columns: one line.
 */
void terminal_wrap(FILE *out, const char *text, unsigned indent, unsigned columns);

/* The bytes of the text's first characters that fill at most so many columns. */
size_t terminal_fit(const char *text, unsigned columns);

#endif
