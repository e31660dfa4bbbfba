/* What both loops over bytes ask of a word of bits. */
#ifndef ROOTCAUSE_BITS_H
#define ROOTCAUSE_BITS_H

#include <stdint.h>

static inline int lowest(uint64_t bits) { /* the place of the lowest bit; there is one */
#if defined(__GNUC__)
    return __builtin_ctzll(bits);
#else
    int at = 0;
    while (!(bits >> at & 1)) at++;
    return at;
#endif
}

#endif
