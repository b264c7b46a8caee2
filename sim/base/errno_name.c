/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One table of error names, with the numbers that every run must agree on.
 */
#include "sim/base/errno_name.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "engine/units.h"

/* Where two names share a number, the first is the one that is printed. */
#define ERRORS(X)        \
    X(EPERM, 1)          \
    X(ENOENT, 2)         \
    X(EINTR, 4)          \
    X(EIO, 5)            \
    X(ENXIO, 6)          \
    X(EBADF, 9)          \
    X(EAGAIN, 11)        \
    X(ENOMEM, 12)        \
    X(EACCES, 13)        \
    X(EFAULT, 14)        \
    X(EBUSY, 16)         \
    X(EEXIST, 17)        \
    X(ENODEV, 19)        \
    X(EINVAL, 22)        \
    X(EFBIG, 27)         \
    X(ENOSPC, 28)        \
    X(EROFS, 30)         \
    X(EPIPE, 32)         \
    X(ERANGE, 34)        \
    X(ENOSYS, 38)        \
    X(ENODATA, 61)       \
    X(ENOLINK, 67)       \
    X(EPROTO, 71)        \
    X(EOVERFLOW, 75)     \
    X(EILSEQ, 84)        \
    X(EMSGSIZE, 90)      \
    X(ENOTSUP, 95)       \
    X(EOPNOTSUPP, 95)    \
    X(ENETDOWN, 100)     \
    X(ENETUNREACH, 101)  \
    X(ECONNABORTED, 103) \
    X(ECONNRESET, 104)   \
    X(ENOBUFS, 105)      \
    X(ENOTCONN, 107)     \
    X(ESHUTDOWN, 108)    \
    X(ETIMEDOUT, 110)    \
    X(ECONNREFUSED, 111) \
    X(EHOSTDOWN, 112)    \
    X(EHOSTUNREACH, 113) \
    X(EALREADY, 114)     \
    X(EINPROGRESS, 115)  \
    X(ESTALE, 116)       \
    X(EREMOTEIO, 121)    \
    X(EDQUOT, 122)       \
    X(ENOMEDIUM, 123)    \
    X(EMEDIUMTYPE, 124)  \
    X(ECANCELED, 125)    \
    X(EKEYREJECTED, 129)

#define X(name, number) _Static_assert((name) == (number), "not Linux's number of " #name);
ERRORS(X)
#undef X

static const struct {
    const char *name;
    int error;
} errors[] = {
#define X(id, number) {#id, number},
    ERRORS(X)
#undef X
};

#define ERROR_COUNT COUNT_OF(errors)

const char *errno_name(int error)
{
    for (size_t i = 0; i < ERROR_COUNT; i++) {
        if (errors[i].error == error || -errors[i].error == error) {
            return errors[i].name;
        }
    }
    return NULL;
}

bool errno_from_name(const char *name, int *error)
{
    for (size_t i = 0; i < ERROR_COUNT; i++) {
        if (strcmp(errors[i].name, name) == 0) {
            *error = errors[i].error;
            return true;
        }
    }
    return false;
}

const char *errno_name_at(uint32_t i)
{
    return i < ERROR_COUNT ? errors[i].name : NULL;
}
