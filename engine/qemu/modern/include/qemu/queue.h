/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See mirrorsim/interface.h. */
#include "mirrorsim/interface.h"
