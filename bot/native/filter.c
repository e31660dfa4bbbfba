/* The token filter of a block of log lines, bot/casefile/tokens.py: the minimizers of long runs, and their Bloom filter.
 *
 * Plain C99 without Python's headers, as scan.c; no call holds the interpreter's lock. What a processor has more of is used
 * where it is there, and changes no result.
 */
#include <stdint.h>
#include <string.h>

#include "bits.h"

typedef const uint8_t *bytes;

#define GRAM 8
#define GRAMS 9
#define RUN (GRAM + GRAMS - 1) /* tokens.RUN */
#define BITS_PER_HASH 8        /* tokens._BITS_PER_HASH */
#define PROBES 4               /* tokens._PROBES */
#define STRIDE 64              /* windows that are looked at together */

static inline uint64_t gram_at(bytes at) { /* its first byte counts least; of a run, letters in lower case, the rest as it is */
    uint64_t word;
    memcpy(&word, at, GRAM);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word | UINT64_C(0x2020202020202020);
}

static inline uint64_t spread(uint64_t hash) { /* the finalizer of splitmix64: tokens._mixed */
    hash = (hash ^ (hash >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    hash = (hash ^ (hash >> 27)) * UINT64_C(0x94D049BB133111EB);
    return hash ^ (hash >> 31);
}

#if defined(__GNUC__)
#define INLINE static inline __attribute__((always_inline)) /* so that it is compiled for whoever calls it */
#else
#define INLINE static inline
#endif

/* Gives the least hash of each window of GRAMS neighbouring grams, where it is not that of the window before (``last``, the
 * hash of the one before the first); for up to STRIDE windows. Gives how many. */
INLINE int least_in(bytes text, int windows, uint64_t last, uint64_t *least) {
    uint64_t hashes[STRIDE + GRAMS - 1], least_of_some[STRIDE + GRAMS - 1];
    int grams = windows + GRAMS - 1, found = 0;
    for (int n = 0; n < grams; n++) hashes[n] = gram_at(text + n);
    for (int n = 0; n < grams; n++) hashes[n] = spread(hashes[n]);
    uint64_t *some = least_of_some; /* of two neighbours, four, eight */
    for (int n = 0; n + 1 < grams; n++) some[n] = hashes[n] < hashes[n + 1] ? hashes[n] : hashes[n + 1];
    for (int n = 0; n + 3 < grams; n++) some[n] = some[n] < some[n + 2] ? some[n] : some[n + 2];
    for (int n = 0; n + 7 < grams; n++) some[n] = some[n] < some[n + 4] ? some[n] : some[n + 4];
    for (int n = 0; n < windows; n++) some[n] = some[n] < hashes[n + 8] ? some[n] : hashes[n + 8];
    for (int n = 0; n < windows; n++) { /* neighbouring windows mostly share theirs */
        uint64_t hash = some[n];
        least[found] = hash;
        found += hash != last;
        last = hash;
    }
    return found;
}

static int least_plain(bytes text, int windows, uint64_t last, uint64_t *least) { return least_in(text, windows, last, least); }

static uint8_t in_run[256]; /* 1 for letters, digits and hyphens */

static uint64_t runs_plain(bytes text) { /* which of 64 signs are of a run: a bit each, the first the lowest */
    uint64_t found = 0;
    for (int n = 0; n < 64; n += 8) {
        uint64_t eight = 0;
        for (int sign = 0; sign < 8; sign++) eight |= (uint64_t)in_run[text[n + sign]] << 8 * sign;
        found |= eight * UINT64_C(0x0102040810204080) >> 56 << n; /* the lowest bits of eight bytes, side by side */
    }
    return found;
}

static int (*least_of)(bytes, int, uint64_t, uint64_t *) = least_plain;
static uint64_t (*runs_of)(bytes) = runs_plain;

#if defined(__x86_64__) && defined(__GNUC__) && !defined(PLAIN)
#include <immintrin.h>

__attribute__((target("avx2"))) static __m256i below(__m256i signs, char first, char many) {
    __m256i from = _mm256_sub_epi8(signs, _mm256_set1_epi8(first));
    return _mm256_cmpeq_epi8(_mm256_min_epu8(from, _mm256_set1_epi8((char)(many - 1))), from);
}

__attribute__((target("avx2"))) static uint64_t runs_avx2(bytes text) {
    uint64_t found = 0;
    for (int half = 0; half < 2; half++) {
        __m256i signs = _mm256_loadu_si256((const __m256i *)(text + 32 * half));
        __m256i letters = below(_mm256_or_si256(signs, _mm256_set1_epi8(0x20)), 'a', 26);
        __m256i others = _mm256_or_si256(below(signs, '0', 10), _mm256_cmpeq_epi8(signs, _mm256_set1_epi8('-')));
        found |= (uint64_t)(uint32_t)_mm256_movemask_epi8(_mm256_or_si256(letters, others)) << 32 * half;
    }
    return found;
}

__attribute__((target("avx2"))) static int least_avx2(bytes text, int windows, uint64_t last, uint64_t *least) {
    return least_in(text, windows, last, least);
}

#define WIDE "avx512f,avx512dq,avx512bw,avx512vl"

__attribute__((target(WIDE))) static inline __m512i wide_hashes(bytes text) { /* of eight grams; reads 16 bytes */
    const __m512i places = _mm512_set_epi64(0x0E0D0C0B0A090807, 0x0D0C0B0A09080706, 0x0C0B0A0908070605, 0x0B0A090807060504,
                                            0x0A09080706050403, 0x0908070605040302, 0x0807060504030201, 0x0706050403020100);
    __m512i text_4 = _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)text));
    __m512i hash = _mm512_or_si512(_mm512_shuffle_epi8(text_4, places), _mm512_set1_epi8(0x20));
    hash = _mm512_xor_si512(hash, _mm512_srli_epi64(hash, 30));
    hash = _mm512_mullo_epi64(hash, _mm512_set1_epi64((long long)0xBF58476D1CE4E5B9));
    hash = _mm512_xor_si512(hash, _mm512_srli_epi64(hash, 27));
    hash = _mm512_mullo_epi64(hash, _mm512_set1_epi64((long long)0x94D049BB133111EB));
    return _mm512_xor_si512(hash, _mm512_srli_epi64(hash, 31));
}

/* The same, eight windows at a time, in registers; reads OVER bytes behind the run. */
__attribute__((target(WIDE))) static int least_wide(bytes text, int windows, uint64_t last, uint64_t *least) {
    __m512i here = wide_hashes(text), before = _mm512_set1_epi64((long long)last);
    int found = 0;
    for (int n = 0; n < windows; n += 8) {
        __m512i next = wide_hashes(text + n + 8);
        __m512i two = _mm512_min_epu64(here, _mm512_alignr_epi64(next, here, 1));
        __m512i two_next = _mm512_min_epu64(next, _mm512_alignr_epi64(next, next, 1)); /* of its first lanes only */
        __m512i four = _mm512_min_epu64(two, _mm512_alignr_epi64(two_next, two, 2));
        __m512i four_next = _mm512_min_epu64(two_next, _mm512_alignr_epi64(two_next, two_next, 2));
        __m512i eight = _mm512_min_epu64(four, _mm512_alignr_epi64(four_next, four, 4));
        __m512i nine = _mm512_min_epu64(eight, next);
        unsigned within = windows - n < 8 ? (1u << (windows - n)) - 1 : 255;
        __mmask8 changes = (__mmask8)(within & _mm512_cmpneq_epi64_mask(nine, _mm512_alignr_epi64(nine, before, 7)));
        _mm512_storeu_si512(least + found, _mm512_maskz_compress_epi64(changes, nine));
        found += __builtin_popcount(changes);
        here = next, before = nine;
    }
    return found;
}

static inline int has_wide(void) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl");
}

static void choose(void) {
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2")) runs_of = runs_avx2, least_of = least_avx2;
#if !defined(NARROW)
    if (has_wide()) least_of = least_wide;
#endif
}
#else
static void choose(void) {}
#endif

__attribute__((constructor)) static void prepare(void) { /* when the library is loaded: no thread sees half a table */
    for (const char *sign = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-"; *sign; sign++)
        in_run[(uint8_t)*sign] = 1;
    choose();
}

#define OVER 16 /* bytes that may be read behind a run at its fastest */

typedef struct { /* distinct hashes: a list, and a table of where in it each one is, counted from 1, and 0 where none is */
    void *table; /* of 16 bits where that is enough, so that it is emptier: what finds its place taken costs most */
    uint64_t *list, mask;
    int64_t held, most;
    int narrow;
} Set;

static Set set_of(uint64_t *room, int64_t places) { /* the same bytes hold four narrow numbers or two wide ones a place */
    int narrow = places / 4 * 3 < UINT16_MAX;
    memset(room, 0, (size_t)places * sizeof *room); /* now, so that it is near when it is filled */
    Set set = {room, room + places, (uint64_t)places * (narrow ? 4 : 2) - 1, 0, places / 4 * 3, narrow};
    return set;
}

#define ADD(type)                                                                     \
    for (uint64_t place = hash & set->mask;; place = (place + 1) & set->mask) {       \
        type *known = (type *)set->table + place;                                     \
        if (*known == 0) {                                                            \
            set->list[set->held++] = hash;                                            \
            *known = (type)set->held;                                                 \
            return;                                                                   \
        }                                                                             \
        if (set->list[*known - 1] == hash) return;                                    \
    }

static inline void add_narrow(Set *set, uint64_t hash) { ADD(uint16_t) }
static inline void add_wide(Set *set, uint64_t hash) { ADD(uint32_t) }

static void add_minimizers(Set *set, bytes p, bytes end, int64_t left) { /* of so many windows, the first one at p */
    uint64_t least[STRIDE + 8], last = 0;
    while (left > 0 && set->held + STRIDE <= set->most) {
        int windows = left < STRIDE ? (int)left : STRIDE;
        int found = (end - p - windows - RUN < OVER ? least_plain : least_of)(p, windows, last, least);
        if (set->narrow)
            for (int n = 0; n < found; n++) add_narrow(set, least[n]);
        else
            for (int n = 0; n < found; n++) add_wide(set, least[n]);
        if (found) last = least[found - 1];
        p += windows;
        left -= windows;
    }
    if (left > 0) set->held = set->most;
}

/* Which bits begin RUN set ones in a row; ``next`` goes on where ``bits`` ends. */
static inline uint64_t windows_of(uint64_t bits, uint64_t next) {
    for (int width = 1; width < RUN; width *= 2) {
        bits &= bits >> width | next << (64 - width);
        next &= next >> width;
    }
    return bits;
}

static inline uint64_t runs_at(bytes text, int64_t size, int64_t at) {
    if (size - at >= 64) return runs_of(text + at);
    uint8_t rest[64] = {0};
    if (at < size) memcpy(rest, text + at, (size_t)(size - at));
    return runs_of(rest);
}

static int64_t gather(bytes text, int64_t size, Set *set) {
    int64_t open = -1; /* the window at which those of a run begin */
    uint64_t bits = runs_at(text, size, 0), carried = 0;
    for (int64_t at = 0; at < size + 64 && set->held < set->most; at += 64) {
        uint64_t next = runs_at(text, size, at + 64), windows = windows_of(bits, next);
        for (uint64_t turns = windows ^ (windows << 1 | carried); turns; turns &= turns - 1) {
            int64_t place = at + lowest(turns);
            if (open < 0) open = place;
            else {
                add_minimizers(set, text + open, text + size, place - open);
                open = -1;
            }
        }
        carried = windows >> 63;
        bits = next;
    }
    return set->held < set->most ? set->held : -1;
}

/* Gathers the distinct minimizers of all long runs of letters, digits and hyphens, ASCII case ignored.
 *
 * ``set`` has ``places`` for anything, a power of two of at least 256, and behind them three quarters as many, into
 * which the hashes come, in any order. Gives how many there are, -1 where there is no room for them.
 */
int64_t rootcause_minimizers(bytes text, int64_t size, uint64_t *set, int64_t places) {
    Set found = set_of(set, places);
    return gather(text, size, &found);
}

/* What a division leaves, by two products (Lemire, Kaser, Kurz: "Faster remainder by direct computation", SPE 2019). */
typedef struct { uint32_t by; uint64_t share; } Divisor;

static inline Divisor divisor_of(uint32_t by) {
    Divisor divisor = {by, UINT64_MAX / by + 1};
    return divisor;
}

static inline uint32_t rest_of(uint32_t number, Divisor of) {
#if defined(__SIZEOF_INT128__)
    return (uint32_t)((__extension__ (unsigned __int128)(of.share * number) * of.by) >> 64);
#else
    return number % of.by;
#endif
}

/* Makes the token filter of a text into ``bloom``, which has room for ``most_bits`` and holds zeros: tokens.token_bloom.
 *
 * ``set`` is as above. Gives the bytes of the filter, -1 where the set is too small.
 */
int64_t rootcause_bloom(bytes text, int64_t size, uint64_t *set, int64_t places, int64_t most_bits, uint8_t *bloom) {
    int64_t held = rootcause_minimizers(text, size, set, places);
    if (held <= 0) return held;
    const uint64_t *list = set + places;
    int64_t wanted = (held * BITS_PER_HASH + 63) / 64 * 64;
    uint32_t bits = (uint32_t)(wanted < most_bits ? wanted : most_bits);
    Divisor divisor = divisor_of(bits);
    for (int64_t n = 0; n < held; n++) {
        uint32_t bit = rest_of((uint32_t)list[n], divisor), step = rest_of((uint32_t)(list[n] >> 32) | 1, divisor);
        for (int probe = 0; probe < PROBES; probe++) {
            bloom[bit >> 3] |= (uint8_t)(128 >> (bit & 7));
            bit = bit + step < bits ? bit + step : bit + step - bits;
        }
    }
    return (int64_t)(bits / 8);
}
