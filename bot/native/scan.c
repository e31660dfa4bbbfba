/* The loop over log bytes: lines, kubelet time stamps, and a key of each line's masked form.
 *
 * The key is a hash of a text that is *at least as fine* as the masked form: two lines with one key have one masked form,
 * never the other way round. So the masking itself stays in one place, bot/signals/masking.py, which is asked once for
 * each key. What is skipped here must be skipped there; what is unsure goes into the key as it stands.
 * Plain C99 without Python's headers: any compiler builds it, ctypes loads it, and no call holds the interpreter's lock.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bits.h"

typedef const uint8_t *bytes;

#define SPAN 4096      /* masking.SPAN */
#define LONG_UNIT 256  /* masking._LONG_UNIT */
#define UNDATED INT64_C(-1)

enum { SPACE = 1, CLOSED = 2, OPEN = 4, BREAK = 8, DIGIT = 16, HEX = 32, UPPER = 64, WORD = 128 };
#define STOPS (SPACE | CLOSED | OPEN)

static uint8_t kind_of[256];
static uint8_t leads[256];     /* the signs with which a unit may begin that is no token, beside words before a code */
static uint8_t number_of[256]; /* of what ends a segment, but for what opens a bracket: fewer than 32, from 1 on */

static void mark(const char *signs, uint8_t kind) {
    for (; *signs; signs++) kind_of[(uint8_t)*signs] |= kind;
}

static const char *const held_words[] = { /* those that begin alike together */
    "h2", "h2c", "http2", "H2", "H2c", "HTTP2", "ipv4", "ipv6", "i18n", "IPv4", "IPv6", "I18n", "s3", "sha1", "sha256", "sha512",
    "S3", "SHA1", "SHA256", "SHA512", "k8s", "k3s", "K8s", "utf8", "utf-8", "UTF-8", "md5", "MD5", "base64", "x509", "X509",
    "oauth2", "OAuth2", "e2e", "ext4", "ec2", "EC2", "log4j", "log4j2", "lz4", "TLSv1", NULL,
};

static uint8_t begins_held[256]; /* by first letter of what held_word knows: one more than the place of its first word */

static void prepare_words(void);
static void choose(void);
static void prepare_brief(void);

__attribute__((constructor)) static void prepare(void) { /* when the library is loaded: no thread sees half a table */
    mark(" \t\n\r\f\v", SPACE);
    mark(",;)[]{}", CLOSED);
    mark("(", OPEN);
    mark("=:\"'/|<>@&?!#*`", BREAK);
    mark("0123456789", DIGIT | WORD);
    mark("abcdefABCDEF", HEX);
    mark("ABCDEFGHIJKLMNOPQRSTUVWXYZ", UPPER | WORD);
    mark("abcdefghijklmnopqrstuvwxyz_", WORD);
    for (const char *sign = "(12345GPDOH\"'"; *sign; sign++) leads[(uint8_t)*sign] = 1;
    for (int sign = 0, number = 0; sign < 256; sign++)
        if (kind_of[sign] & (SPACE | CLOSED | BREAK)) number_of[sign] = (uint8_t)++number;
    prepare_words();
    int words = 0;
    while (held_words[words]) words++;
    begins_held['p'] = begins_held['v'] = (uint8_t)(words + 1); /* these are no list */
    for (int n = words - 1; n >= 0; n--) begins_held[(uint8_t)held_words[n][0]] = (uint8_t)(n + 1);
    prepare_brief();
    choose();
}

#define IS(sign, kinds) (kind_of[(sign)] & (kinds))

#define MIX UINT64_C(0x9FB21C651E98DF25)

static inline uint64_t mixed(uint64_t hash, uint64_t part) {
    hash = (hash ^ part) * MIX;
    return hash ^ (hash >> 32);
}

static inline uint64_t word_at(bytes at, size_t size) { /* up to eight bytes, padded with zeros */
    uint64_t word = 0;
    memcpy(&word, at, size);
    return word;
}

static inline uint64_t little(uint64_t word) { /* of a word of text: its first byte counts least */
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    return __builtin_bswap64(word);
#else
    return word;
#endif
}

static inline uint64_t first_of(uint64_t word, uint64_t size) { /* up to seven bytes of a word, padded with zeros */
    return little(word) & ((UINT64_C(1) << 8 * size) - 1);
}

static uint64_t with_text(uint64_t hash, bytes at, bytes end) {
    size_t size = (size_t)(end - at);
    for (; end - at >= 8; at += 8) {
        uint64_t word;
        memcpy(&word, at, 8);
        hash = mixed(hash, word);
    }
    return mixed(hash, word_at(at, (size_t)(end - at)) ^ ((uint64_t)size << 57) ^ size);
}

#define WILD(hash) mixed((hash), UINT64_C(0xD6E8FEB86659FD93))

static inline int starts(bytes at, bytes end, const char *word, size_t size) {
    return (size_t)(end - at) >= size && memcmp(at, word, size) == 0;
}
#define STARTS(at, end, word) starts((at), (end), (word), sizeof(word) - 1)

/* --- a line as bitmaps: where its tokens end, where their segments do, which signs are digits --- */

#define WORDS (SPAN / 64 + 2)

typedef struct {
    bytes begin, end;
    bytes whole; /* up to here eight bytes may be read at once */
    uint64_t breaks[WORDS], ends[WORDS], digits[WORDS];
    /* A bit a byte, the first the lowest: what ends a segment within a token, what ends one at all, and digits. Where the
     * line ends the first two have a bit. */
} Line;

typedef struct { uint64_t stops, breaks, digits; } Kinds; /* of 64 bytes */

static uint8_t brief[256]; /* of a sign: 1 for a stop, 2 for a break, 4 for a digit */

static void prepare_brief(void) {
    for (int sign = 0; sign < 256; sign++)
        brief[sign] = (uint8_t)((IS(sign, STOPS) ? 1 : 0) | (IS(sign, BREAK) ? 2 : 0) | (IS(sign, DIGIT) ? 4 : 0));
}

static inline uint64_t lowest_bits(uint64_t eight) { /* of eight bytes, side by side */
    return (eight & UINT64_C(0x0101010101010101)) * UINT64_C(0x0102040810204080) >> 56;
}

static inline Kinds kinds_plain(bytes p) {
    Kinds found = {0, 0, 0};
    for (int n = 0; n < 64; n += 8) {
        uint64_t eight = 0;
        for (int sign = 0; sign < 8; sign++) eight |= (uint64_t)brief[p[n + sign]] << 8 * sign;
        found.stops |= lowest_bits(eight) << n;
        found.breaks |= lowest_bits(eight >> 1) << n;
        found.digits |= lowest_bits(eight >> 2) << n;
    }
    return found;
}

#define CLASSIFY(kinds)                                                                             \
    size_t size = (size_t)(line->end - line->begin), word = 0;                                      \
    for (; word < size / 64; word++) {                                                              \
        Kinds found = kinds(line->begin + 64 * word);                                               \
        line->breaks[word] = found.breaks, line->ends[word] = found.breaks | found.stops;           \
        line->digits[word] = found.digits;                                                          \
    }                                                                                               \
    uint8_t rest[64] = {0}; /* NUL is of no kind */                                                 \
    bytes last = line->begin + 64 * word;                                                           \
    if (line->whole + 8 - last < 64) {                                                              \
        memcpy(rest, last, size % 64);                                                              \
        last = rest;                                                                                \
    }                                                                                               \
    Kinds found = kinds(last);                                                                      \
    uint64_t within = (UINT64_C(1) << size % 64) - 1;                                               \
    line->breaks[word] = (found.breaks & within) | (within + 1);                                    \
    line->ends[word] = ((found.breaks | found.stops) & within) | (within + 1);                      \
    line->digits[word] = found.digits & within;                                                     \
    line->breaks[word + 1] = line->ends[word + 1] = line->digits[word + 1] = 0;

static void classify_plain(Line *line) { CLASSIFY(kinds_plain) }

static void (*classify)(Line *) = classify_plain;

#if defined(__x86_64__) && defined(__GNUC__) && !defined(PLAIN)
#include <immintrin.h>
#define ROWS(r0, r1, r2, r3, r4, r5, r6, r7) _mm256_setr_epi8( \
    r0, r1, r2, r3, r4, r5, r6, r7, 0, 0, 0, 0, 0, 0, 0, 0, r0, r1, r2, r3, r4, r5, r6, r7, 0, 0, 0, 0, 0, 0, 0, 0)
#define COLUMNS(...) _mm256_setr_epi8(__VA_ARGS__, __VA_ARGS__)

/* A sign is looked up by its high four bits and by its low ones; it is of the kinds that both name. The low half of a kind
 * are stops, the high one breaks; each bit is of one row of signs, or of two that have the same (Langdale, Lemire: "Parsing
 * gigabytes of JSON per second", VLDB Journal 2019). */
__attribute__((target("avx2"))) static inline Kinds kinds_avx2(bytes p) {
    const __m256i rows = ROWS(1, 0, 2 | 16, 4 | 32, 64, 8, 64, 8 | (char)128), low = _mm256_set1_epi8(15);
    const __m256i columns = COLUMNS(2 | 64, 16, 16, 16, 0, 0, 16, 16, 2, 1 | 2, 1 | 16 | 32, 1 | 4 | 8, 1 | 2 | 32 | (char)128,
                                    1 | 8 | 32, 32, 16 | 32);
    Kinds found = {0, 0, 0};
    for (int half = 0; half < 2; half++) {
        __m256i signs = _mm256_loadu_si256((const __m256i *)(p + 32 * half));
        __m256i row = _mm256_shuffle_epi8(rows, _mm256_and_si256(_mm256_srli_epi16(signs, 4), low));
        __m256i kinds = _mm256_and_si256(row, _mm256_shuffle_epi8(columns, signs)); /* signs from 128 on give 0 */
        __m256i none = _mm256_setzero_si256(), from_nought = _mm256_sub_epi8(signs, _mm256_set1_epi8('0'));
        __m256i stops = _mm256_cmpeq_epi8(_mm256_and_si256(kinds, low), none);
        __m256i breaks = _mm256_cmpeq_epi8(_mm256_andnot_si256(low, kinds), none);
        __m256i digits = _mm256_cmpeq_epi8(_mm256_min_epu8(from_nought, _mm256_set1_epi8(9)), from_nought);
        found.stops |= (uint64_t)(uint32_t)~_mm256_movemask_epi8(stops) << 32 * half;
        found.breaks |= (uint64_t)(uint32_t)~_mm256_movemask_epi8(breaks) << 32 * half;
        found.digits |= (uint64_t)(uint32_t)_mm256_movemask_epi8(digits) << 32 * half;
    }
    return found;
}

__attribute__((target("avx2"))) static void classify_avx2(Line *line) { CLASSIFY(kinds_avx2) }

static void choose(void) {
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2")) classify = classify_avx2;
}
#else
static void choose(void) {}
#endif

static inline uint64_t bits_at(const uint64_t *bits, size_t from) { /* 64 of them, wherever they begin: no branch to guess */
    size_t word = from / 64, shift = from % 64;
    return bits[word] >> shift | bits[word + 1] << 1 << (63 - shift);
}

static inline bytes next_break(const Line *line, bytes at) { /* the first one from ``at`` on */
    uint64_t found;
    while (!(found = bits_at(line->breaks, (size_t)(at - line->begin)))) at += 64;
    return at + lowest(found);
}

typedef struct { uint64_t left; size_t word; } Ends; /* those of segments, still to come: none waits for the one before it */

static inline void seek(Ends *ends, const Line *line, bytes at) {
    size_t from = (size_t)(at - line->begin);
    ends->word = from / 64;
    ends->left = line->ends[ends->word] & ~UINT64_C(0) << from % 64;
}

static inline bytes next_end(Ends *ends, const Line *line) {
    while (!ends->left) ends->left = line->ends[++ends->word];
    bytes at = line->begin + 64 * ends->word + lowest(ends->left);
    ends->left &= ends->left - 1;
    return at;
}

static inline int any_digit(const Line *line, bytes at, bytes end) {
    for (; end - at >= 64; at += 64)
        if (bits_at(line->digits, (size_t)(at - line->begin))) return 1;
    return (bits_at(line->digits, (size_t)(at - line->begin)) & ((UINT64_C(1) << (end - at)) - 1)) != 0;
}

/* What a segment adds to a key, beside the whole words of a long one: text of up to seven bytes and its size, or a mark of
 * size 0; there is room above for the sign that ends it, so that one step of the hash takes all. */
enum { NOTHING, WILDCARD, LEVEL, HELD };

static inline uint64_t text_part(const Line *line, uint64_t *hash, bytes at, bytes end) {
    for (; end - at >= 8; at += 8) {
        uint64_t word;
        memcpy(&word, at, 8);
        *hash = mixed(~*hash, word); /* no part can be taken for it */
    }
    uint64_t size = (uint64_t)(end - at), word;
    if (at > line->whole) return little(word_at(at, size)) | size << 56;
    memcpy(&word, at, 8);
    return first_of(word, size) | size << 56;
}

/* --- units with a number that means something: each gives its end, or NULL; the regular expressions of masking._UNIT --- */

static inline int ends_code(bytes at, bytes end, const char *more) {
    return at == end || IS(*at, SPACE) || (*at && strchr(more, *at) != NULL);
}

static bytes access_status(bytes at, bytes end) { /* HTTP/1.1" 502, HTTP/1.1 502 */
    bytes p = at;
    if (!STARTS(p, end, "HTTP/")) return NULL;
    p += 5;
    bytes first = p;
    while (p < end && p - first < 4 && (IS(*p, DIGIT) || *p == '.')) p++;
    if (p == first || p - first > 3) return NULL;
    if (p < end && *p == '"') p++;
    if (end - p < 4 || *p++ != ' ') return NULL;
    if (*p < '1' || *p > '5' || !IS(p[1], DIGIT) || !IS(p[2], DIGIT)) return NULL;
    p += 3;
    return ends_code(p, end, ",;)]}") ? p : NULL;
}

static bytes code_tail(bytes p, bytes end) { /* what stands behind a code word */
    if (p < end && (*p == '"' || *p == '\'')) p++;
    bytes gap = p;
    while (p < end && p - gap < 4 && (*p == ' ' || *p == ':' || *p == '=')) p++;
    if (p == gap || p - gap > 3) return NULL;
    if (p < end && (*p == '"' || *p == '\'' || *p == '[' || *p == '(')) p++;
    bytes code = p;
    while (p < end && p - code < 4 && IS(*p, DIGIT)) p++;
    if (p > code && p - code < 4 && ends_code(p, end, ",;\"')]}")) return p;
    p = code;
    while (p < end && p - code < 5 && IS(*p, DIGIT | UPPER)) p++;
    return p - code == 5 && ends_code(p, end, ",;\"')]}") ? p : NULL;
}

static bytes code_word_end(bytes p, bytes end) { /* behind "Code" or "status", with or without a joint before it */
    if (p < end && (*p == ' ' || *p == '_' || *p == '-')) p++;
    if (STARTS(p, end, "code") || STARTS(p, end, "Code")) return p + 4;
    return NULL;
}

static const char *const plain_words[] = {
    "STATUS", "code", "Code", "CODE", "returncode", "rc", "http_status", "httpStatus", "statusCode", "response_code",
    "upstream_status", "errno", "Errno", "signal", "Signal", "SQLSTATE", "SQLState", "sqlstate", "level", "severity",
    "HTTP", "returned", "Returned", "got", "Got", "answered", "Answered", "DownstreamStatus", NULL,
};
static const uint8_t plain_sizes[] = {6, 4, 4, 4, 10, 2, 11, 10, 10, 13, 15, 5, 5, 6, 6, 8, 8, 8, 5, 8, 4, 8, 8, 3, 3, 8, 8, 16};

enum { STATUS = 28, RESPONDED, EXIT }; /* behind the last of plain_words */

static uint32_t words_by_first[256], words_by_second[256]; /* of plain_words and the three above, by their letters */

static void prepare_word(int number, const char *word) {
    words_by_first[(uint8_t)word[0]] |= UINT32_C(1) << number;
    words_by_second[(uint8_t)word[1]] |= UINT32_C(1) << number;
}

static void prepare_words(void) {
    static const char *const others[] = {"status", "Status", "responded", "Responded", "exit", "Exit"};
    for (int n = 0; plain_words[n]; n++) prepare_word(n, plain_words[n]);
    for (int n = 0; n < 6; n++) prepare_word(STATUS + n / 2, others[n]);
}

static bytes other_held_code(bytes p, bytes end) { /* behind the words that have others beside them */
    bytes found, tail;
    if (STARTS(p, end, "status") || STARTS(p, end, "Status")) {
        if ((found = code_word_end(p + 6, end)) != NULL && (tail = code_tail(found, end)) != NULL) return tail;
        return code_tail(p + 6, end);
    }
    if (STARTS(p, end, "responded") || STARTS(p, end, "Responded")) {
        if (STARTS(p + 9, end, " with") && (tail = code_tail(p + 14, end)) != NULL) return tail;
        return code_tail(p + 9, end);
    }
    if (STARTS(p, end, "exit") || STARTS(p, end, "Exit")) {
        p += 4;
        if (STARTS(p, end, "ed")) p += 2;
        if (STARTS(p, end, " with")) p += 5;
        if ((found = code_word_end(p, end)) != NULL) return code_tail(found, end);
        if (p < end && (*p == ' ' || *p == '_' || *p == '-')) p++;
        return STARTS(p, end, "status") ? code_tail(p + 6, end) : NULL;
    }
    return NULL;
}

static inline bytes held_code(bytes at, bytes end) { /* status code: 502, exit code 137, SQLSTATE 40P01 */
    bytes p = at, tail;
    if (*p == '"' || *p == '\'') p++;
    if (end - p < 2) return NULL; /* no word is shorter */
    uint32_t left = words_by_first[p[0]] & words_by_second[p[1]];
    for (; left && lowest(left) < STATUS; left &= left - 1) { /* one bit a word */
        int n = lowest(left);
        if (starts(p, end, plain_words[n], plain_sizes[n]) && (tail = code_tail(p + plain_sizes[n], end)) != NULL) return tail;
    }
    return left ? other_held_code(p, end) : NULL;
}

static bytes request_status(bytes at, bytes end, bytes *path, bytes *path_end) { /* POST /users/42/cart 500 */
    static const char *const methods[] = {"GET /", "POST /", "PUT /", "HEAD /", "PATCH /", "DELETE /", "OPTIONS /", NULL};
    if (end - at < 5 || !IS(at[1], UPPER)) return NULL;
    for (int n = 0; methods[n]; n++) {
        size_t size = strlen(methods[n]);
        if (!starts(at, end, methods[n], size)) continue;
        bytes p = at + size;
        *path = p - 1;
        while (p < end && p - *path < 402 && !IS(*p, SPACE) && *p != '"') p++;
        *path_end = p;
        if (p - *path > 401 || end - p < 4 || *p != ' ') return NULL;
        if (p[1] < '1' || p[1] > '5' || !IS(p[2], DIGIT) || !IS(p[3], DIGIT)) return NULL;
        return p + 4 == end || IS(p[4], SPACE) ? p + 4 : NULL;
    }
    return NULL;
}

static bytes system_error(bytes at, bytes end) { /* (111: Connection refused) */
    bytes p = at + 1, first = p;
    if (p == end || *p < '1' || *p > '9') return NULL;
    while (p < end && p - first < 4 && IS(*p, DIGIT)) p++;
    if (p - first > 3 || end - p < 3 || p[0] != ':' || p[1] != ' ') return NULL;
    return IS(p[2], UPPER) || p[2] == '<' ? p + 2 : NULL;
}

static bytes status_reason(bytes at, bytes end) { /* 502 Bad Gateway */
    static const char *const reasons[] = {
        "OK", "Created", "Accepted", "No", "Moved", "Found", "Bad", "Unauthorized", "Forbidden", "Not", "Method", "Request",
        "Conflict", "Gone", "Too", "Unprocess", "Client", "Internal", "Service", "Gateway", NULL,
    };
    if (end - at < 6 || *at < '1' || *at > '5' || !IS(at[1], DIGIT) || !IS(at[2], DIGIT) || at[3] != ' ') return NULL;
    bytes p = at + 4;
    if (!IS(*p, UPPER)) return NULL;
    for (int n = 0; reasons[n]; n++) {
        size_t size = strlen(reasons[n]);
        if (starts(p, end, reasons[n], size) && ends_code(p + size, end, ",;\"')]}.")) return at + 4;
    }
    return NULL;
}

static bytes rails_status(bytes at, bytes end) { /* Completed 502 Bad Gateway in 30ms */
    if (end - at < 15 || !STARTS(at, end, "Completed ") || at[10] < '1' || at[10] > '5') return NULL;
    return IS(at[11], DIGIT) && IS(at[12], DIGIT) && at[13] == ' ' && (IS(at[14], UPPER) || at[14] == 'i') ? at + 13 : NULL;
}

static bytes behind_number(bytes p, bytes end) { /* and the blank behind it: masking._NUMBER; NULL is none, before and after */
    if (p == NULL) return NULL;
    if (STARTS(p, end, "<*>")) p += 3;
    else {
        if (p < end && *p == '+') p++;
        bytes first = p;
        while (p < end && p - first < 16 && IS(*p, DIGIT)) p++;
        if (p == first || p - first > 15) return NULL;
    }
    return p < end && *p == ' ' ? p + 1 : NULL;
}

static bytes behind_word(bytes p, bytes end) { /* and the blank behind it */
    bytes first = p;
    while (p < end && !IS(*p, SPACE)) p++;
    return p > first && p < end && *p == ' ' ? p + 1 : NULL;
}

static int haproxy_rest(bytes p, bytes end) { /* 217 - - SC-- 41/40/3/1/0 */
    static const char *const states[] = {"-CSPLRIDUKcs", "-RQCHDLT", "-NIDVEOU", "-NIUPRD"};
    if ((p = behind_number(p, end)) == NULL || (p = behind_word(p, end)) == NULL || (p = behind_word(p, end)) == NULL) return 0;
    if (end - p < 6 || p[4] != ' ' || !(IS(p[5], DIGIT) || STARTS(p + 5, end, "<*>"))) return 0;
    for (int n = 0; n < 4; n++)
        if (!p[n] || strchr(states[n], p[n]) == NULL) return 0;
    return 1;
}

static int balancer_rest(bytes p, bytes end) { /* 502 34 366 "GET, or with - for the target's status */
    if (STARTS(p, end, "- ")) p += 2;
    else if (STARTS(p, end, "<*> ")) p += 4;
    else if (end - p > 4 && *p >= '1' && *p <= '5' && IS(p[1], DIGIT) && IS(p[2], DIGIT) && p[3] == ' ') p += 4;
    else return 0;
    p = behind_number(behind_number(p, end), end);
    return p != NULL && end - p > 1 && *p == '"' && IS(p[1], UPPER);
}

static int gin_rest(bytes p, bytes end) { /* |  5.004s | */
    if (p == end || *p != '|') return 0;
    bytes first = ++p;
    while (p < end && *p == ' ') p++;
    if (p == first || p - first > 12) return 0;
    first = p;
    if (STARTS(p, end, "<*> |")) return 1;
    while (p < end && !IS(*p, SPACE)) p++;
    return p - first > 1 && p - first < 23 && IS(*first, DIGIT) && p[-1] == 's' && STARTS(p, end, " |");
}

static bytes placed_status(bytes at, bytes end) { /* told by what stands behind it: masking._STATUS_RESTS */
    if (end - at < 9 || !IS(at[1], DIGIT) || !IS(at[2], DIGIT) || at[3] != ' ') return NULL;
    bytes p = at + 4;
    return haproxy_rest(p, end) || balancer_rest(p, end) || gin_rest(p, end) ? p : NULL;
}

/* --- tokens --- */

static int long_held_word(bytes p, bytes end) {
    if (end - p < 4 || !STARTS(p, end, "SIG")) return 0;
    for (p += 3; p < end; p++)
        if (!IS(*p, DIGIT | UPPER)) return 0;
    return 1;
}

static int held_word(bytes p, size_t size) { /* masking._HELD_WORD, of a segment that has a digit */
    bytes end = p + size;
    if (size > 12) return *p == 'S' && long_held_word(p, end);
    if (size == 3 && *p >= '1' && *p <= '5' && p[1] == 'x' && p[2] == 'x') return 1;
    if (!begins_held[*p]) return 0;
    if (*p == 'S' && long_held_word(p, end)) return 1;
    if (*p == 'p' && size == 3 && IS(p[1], DIGIT) && IS(p[2], DIGIT)) return 1;
    if (*p == 'v' && size >= 2 && IS(p[1], DIGIT)) {
        p += size >= 3 && IS(p[2], DIGIT) ? 3 : 2;
        if (p == end) return 1;
        if (STARTS(p, end, "alpha")) p += 5;
        else if (STARTS(p, end, "beta")) p += 4;
        else return 0;
        return end - p >= 1 && end - p <= 2 && IS(*p, DIGIT) && (end - p == 1 || IS(p[1], DIGIT));
    }
    if (size == 7 && STARTS(p, end, "TLSv1.") && IS(p[6], DIGIT)) return 1;
    for (int n = begins_held[*p] - 1; held_words[n] && *p == (uint8_t)held_words[n][0]; n++)
        if (strlen(held_words[n]) == size && memcmp(p, held_words[n], size) == 0) return 1;
    return 0;
}

static int leveled(bytes p, size_t size) { /* masking._LEVELED: E1122 */
    if (size != 5 || (*p != 'I' && *p != 'W' && *p != 'E' && *p != 'F')) return 0;
    return IS(p[1], DIGIT) && IS(p[2], DIGIT) && IS(p[3], DIGIT) && IS(p[4], DIGIT);
}

static int hex_only(bytes p, bytes end) { /* masking._HEX_ONLY, of eight bytes or more without a digit */
    bytes group = p;
    for (; p < end; p++) {
        if (*p == '-') {
            if (p - group < 2) return 0;
            group = p + 1;
        } else if (!IS(*p, HEX)) {
            return 0;
        }
    }
    return p - group >= 8;
}

static bytes http_version(bytes p, bytes end) { /* HTTP/1.1 as one segment; NULL where it is none */
    if (end - p < 6 || memcmp(p, "HTTP/", 5) != 0 || !IS(p[5], DIGIT)) return NULL;
    bytes tail = p + 6;
    if (end - tail >= 2 && tail[0] == '.' && IS(tail[1], DIGIT)) tail += 2;
    return tail == end || !(IS(*tail, WORD) || *tail == '.') ? tail : NULL;
}

#define HELD_TAIL 9 /* a joint, two quotes, and a code of up to five signs or -1 */

static int ends_in(bytes p, bytes end, const char *word) { /* in small letters or capitals */
    size_t size = strlen(word);
    if ((size_t)(end - p) < size) return 0;
    for (bytes at = end - size; at < end; at++)
        if ((*at | 0x20) != (uint8_t)*word++) return 0;
    return 1;
}

static int held_key(bytes p, bytes end) { /* may the token be key=code or key:code? then it stays as it is */
    bytes tail = end;
    if (tail > p && (tail[-1] == '"' || tail[-1] == '\'')) tail--;
    bytes code = tail;
    while (code > p && tail - code < 6 && IS(code[-1], DIGIT | UPPER)) code--;
    if (tail - code == 1 && *code == '1' && code > p && code[-1] == '-') code--;
    if (tail - code < 1 || tail - code > 5 || tail - code == 4) return 0;
    if (code > p && (code[-1] == '"' || code[-1] == '\'')) code--;
    if (code == p || (code[-1] != '=' && code[-1] != ':')) return 0;
    for (int n = 0; n < 3 && code > p && (code[-1] == '=' || code[-1] == ':'); n++) code--;
    if (code > p && (code[-1] == '"' || code[-1] == '\'')) code--;
    if (code - p < 2) return 0;
    switch (code[-1] | 0x20) { /* of the words that masking holds; more may end alike, fewer not */
    case 's': return ends_in(p, code, "status");
    case 'e': return ends_in(p, code, "code") || ends_in(p, code, "sqlstate");
    case 'o': return ends_in(p, code, "no");
    case 'l': return ends_in(p, code, "signal") || ends_in(p, code, "level");
    case 'y': return ends_in(p, code, "severity");
    case 'c': return ends_in(p, code, "rc");
    case 'p': return ends_in(p, code, "http");
    case 'd': return ends_in(p, code, "returned") || ends_in(p, code, "responded") || ends_in(p, code, "answered");
    case 't': return ends_in(p, code, "got");
    default: return 0;
    }
}

static inline uint64_t segment_part(const Line *line, uint64_t *hash, bytes at, bytes end, int digits) {
    size_t size = (size_t)(end - at);
    if (!digits) return size >= 8 && hex_only(at, end) ? WILDCARD : text_part(line, hash, at, end);
    if (leveled(at, size)) return LEVEL | (uint64_t)*at << 8;
    if (!held_word(at, size)) return WILDCARD;
    *hash = with_text(*hash, at, end);
    return HELD;
}

/* Adds one token to the key, segment by segment, and gives where it ends: behind the stop that ends it, mostly. ``ends`` are those
 * from its begin on; NULL for a path, which goes on to ``end`` whatever stands in it. */
static inline bytes with_token(uint64_t *key, const Line *line, bytes p, bytes end, Ends *ends, int digits) {
    bytes token = p, joint = NULL; /* the last sign after which a code may stand */
    uint64_t before = *key, hash = before, sign = 0;
    int slash = 0; /* a path is open, in which a question mark begins a query */
    while (p < end && !(ends && IS(*p, STOPS))) {
        bytes first = p;
        if (*p == 'H' && (p = http_version(p, end)) != NULL) {
            hash = with_text(hash, first, p);
            slash = digits = 1;
            if (ends) seek(ends, line, p);
            continue;
        }
        p = ends ? next_end(ends, line) : next_break(line, first);
        if (p > end) p = end;
        int with_digit = any_digit(line, first, p);
        uint64_t part = p > first ? segment_part(line, &hash, first, p, with_digit) : NOTHING;
        digits |= with_digit;
        sign = p < end ? number_of[*p] : 0;
        hash = mixed(hash, part | sign << 59);
        if (p == end || (ends && IS(*p, STOPS))) break;
        sign = 0;
        if (*p == '=' || *p == ':') joint = p;
        else if (*p == '/') slash = 1;
        else if (*p == '"' || *p == '\'') slash = 0;
        else if (*p == '?') {
            if (slash) {
                hash = WILD(hash);
                first = p;
                while (p + 1 < end && p[1] != '"' && p[1] != '\'' && !(ends && IS(p[1], STOPS))) p++;
                if (ends) seek(ends, line, p + 1);
                digits |= any_digit(line, first, p + 1);
            }
            slash = 0;
        }
        p++;
    }
    if (p - token > LONG_UNIT) *key = WILD(before);
    else if (digits && joint != NULL && p - joint <= HELD_TAIL && held_key(token, p)) *key = with_text(before, token, p);
    else {
        *key = hash;
        if (sign) p++; /* the stop is in it */
    }
    return p;
}

static bytes special(bytes p, bytes end, bytes *path, bytes *path_end) { /* masking._UNIT but for its last three branches */
    bytes found;
    switch (*p) {
    case '(': return system_error(p, end);
    case '1': case '2': case '3': case '4': case '5': return (found = status_reason(p, end)) != NULL ? found : placed_status(p, end);
    case 'G': case 'P': case 'D': case 'O':
        if ((found = request_status(p, end, path, path_end)) != NULL) return found;
        *path = NULL;
        return *p == 'G' || *p == 'D' ? held_code(p, end) : NULL;
    case 'H':
        if ((found = access_status(p, end)) != NULL || (found = held_code(p, end)) != NULL) return found;
        if ((found = request_status(p, end, path, path_end)) != NULL) return found;
        *path = NULL;
        return NULL;
    case 'C': return (found = rails_status(p, end)) != NULL ? found : held_code(p, end);
    case '"': case '\'': case 's': case 'S': case 'c': case 'e': case 'E': case 'r': case 'R': case 'h': case 'u':
    case 'l': case 'g': case 'a': case 'A':
        return held_code(p, end);
    default: return NULL;
    }
}

static inline int may_be_special(bytes p) { /* there is a byte behind every line */
    return leads[*p] || (words_by_first[p[0]] & words_by_second[p[1]]);
}

static uint64_t key_of(Line *line) {
    uint64_t hash = UINT64_C(0x2545F4914F6CDD1D);
    Ends ends;
    classify(line);
    seek(&ends, line, line->begin);
    for (bytes p = line->begin, end = line->end; p < end;) {
        bytes first = p, path = NULL, path_end = NULL;
        if (IS(*p, SPACE | CLOSED)) {
            while (p < end && IS(*p, SPACE | CLOSED)) p++;
            hash = p - first == 1 ? mixed(hash, *first) : with_text(mixed(hash, 0x400), first, p);
            seek(&ends, line, p);
            continue;
        }
        bytes found = may_be_special(p) ? special(p, end, &path, &path_end) : NULL;
        if (found != NULL) {
            if (path == NULL) hash = with_text(mixed(hash, 0x200), p, found);
            else if (found - p > LONG_UNIT) hash = WILD(hash);
            else {
                hash = with_text(mixed(hash, 0x300), p, path);
                with_token(&hash, line, path, path_end, NULL, 1);
                hash = with_text(hash, path_end, found);
            }
            p = found;
            seek(&ends, line, p);
        } else if (*p == '(') {
            hash = mixed(hash, '(');
            p++;
            seek(&ends, line, p);
        } else {
            p = with_token(&hash, line, p, end, &ends, 0);
        }
    }
    return hash;
}

static bytes cut(bytes p) { /* masking._cut: at the last blank of the span, NULL where there is none */
    for (bytes at = p + SPAN - 1; at > p; at--)
        if (*at == ' ') return at;
    return NULL;
}

static size_t without_colours(bytes p, bytes end, uint8_t *out) { /* masking._ANSI */
    uint8_t *to = out;
    while (p < end) {
        if (*p == 0x1b && end - p >= 3 && p[1] == '[') {
            bytes at = p + 2;
            while (at < end && at - p < 18 && (IS(*at, DIGIT) || *at == ';')) at++;
            if (at < end && ((*at | 0x20) >= 'a' && (*at | 0x20) <= 'z')) {
                p = at + 1;
                continue;
            }
        }
        *to++ = *p++;
    }
    return (size_t)(to - out);
}

static uint64_t line_key(Line *line, int coloured) { /* of a line whose ends are known, in a text that has colours or none */
    bytes p = line->begin;
    if (line->end - p > SPAN && (line->end = cut(p)) == NULL) return 1;
    if (!coloured || memchr(p, 0x1b, (size_t)(line->end - p)) == NULL) return key_of(line);
    uint8_t plain[SPAN + 8];
    Line bare;
    bare.begin = plain;
    bare.end = plain + without_colours(p, line->end, plain);
    bare.whole = plain + SPAN;
    return key_of(&bare);
}

/* --- times --- */

static int two(bytes p) { return (p[0] - '0') * 10 + (p[1] - '0'); }

static int64_t day_number(int year, int month, int day) { /* days since 1970-01-01; -1 where there is no such day */
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (year < 1971 || year > 2199 || month < 1 || month > 12 || day < 1) return -1;
    if (day > days[month - 1] + (month == 2 && leap)) return -1;
    int shifted = year - (month <= 2), era = shifted / 400, of_era = shifted - era * 400;
    int of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t of = (int64_t)of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    return (int64_t)era * 146097 + of - 719468;
}

typedef struct { uint8_t text[19]; int64_t ns, day_ns; } Second; /* the last one read: its text, and when it and its day begin */

static inline int same_second(bytes one, bytes other) { /* 19 bytes, in three steps; memcmp is called for so few */
    uint64_t a[3], b[3];
    for (int n = 0; n < 3; n++) {
        memcpy(a + n, one + (n < 2 ? 8 * n : 11), 8);
        memcpy(b + n, other + (n < 2 ? 8 * n : 11), 8);
    }
    return ((a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2])) == 0;
}

static inline int same_day(bytes one, bytes other) { /* 11 bytes, in two steps */
    uint64_t a[2], b[2];
    memcpy(a, one, 8), memcpy(a + 1, one + 3, 8);
    memcpy(b, other, 8), memcpy(b + 1, other + 3, 8);
    return ((a[0] ^ b[0]) | (a[1] ^ b[1])) == 0;
}

static int64_t date_ns(bytes p, const char *days, const char *joints) { /* YYYY-MM-DDT, or -1 */
    static const uint8_t digits[] = {0, 1, 2, 3, 5, 6, 8, 9};
    for (size_t n = 0; n < sizeof digits; n++)
        if (!IS(p[digits[n]], DIGIT)) return -1;
    if (!p[4] || !strchr(days, p[4]) || !p[7] || !strchr(days, p[7]) || !p[10] || !strchr(joints, p[10])) return -1;
    int64_t day = day_number(two(p) * 100 + two(p + 2), two(p + 5), two(p + 8));
    return day < 0 ? -1 : day * 86400 * INT64_C(1000000000);
}

static inline int64_t second_ns(bytes p, Second *last, const char *days, const char *joints) { /* YYYY-MM-DDTHH:MM:SS, or -1 */
    if (same_second(last->text, p)) return last->ns;
    if (last->day_ns < 0 || !same_day(last->text, p)) {
        memcpy(last->text, p, 19);
        last->ns = -1; /* until it is known, and where the rest is no time */
        if ((last->day_ns = date_ns(p, days, joints)) < 0) return -1;
    }
    static const uint8_t digits[] = {11, 12, 14, 15, 17, 18};
    for (size_t n = 0; n < sizeof digits; n++)
        if (!IS(p[digits[n]], DIGIT)) return -1;
    int hour = two(p + 11), minute = two(p + 14), second = two(p + 17);
    if (p[13] != ':' || p[16] != ':' || hour > 23 || minute > 59 || second > 60) return -1;
    memcpy(last->text, p, 19);
    last->ns = last->day_ns + (hour * 3600 + minute * 60 + second) * INT64_C(1000000000);
    return last->ns;
}

/* Reads nine digits, at once but for the last (Lemire: "Number parsing at a gigabyte per second", SPE 2021); -1 where one is none. */
static inline int64_t nine_digits(bytes p) {
    uint64_t word;
    memcpy(&word, p, 8);
    word = little(word) ^ UINT64_C(0x3030303030303030); /* each a number of up to nine, were it a digit */
    if (((word + UINT64_C(0x0606060606060606)) | word) & UINT64_C(0xF0F0F0F0F0F0F0F0)) return -1;
    if (!IS(p[8], DIGIT)) return -1;
    word = word * 10 + (word >> 8);
    uint64_t low = (word & UINT64_C(0x000000FF000000FF)) * UINT64_C(0x000F424000000064);
    uint64_t high = (word >> 16 & UINT64_C(0x000000FF000000FF)) * UINT64_C(0x0000271000000001);
    return (int64_t)((low + high) >> 32 & UINT64_C(0xFFFFFFFF)) * 10 + (p[8] - '0');
}

/* The time that a container runtime wrote before a line, and where the text begins behind it; UNDATED where there is none.
 * ``stamp``: bytes that the time gives back; 0 where it is written in another way. */
static inline int64_t prefix_ns(bytes line, bytes end, Second *last, int64_t *text_start, int64_t *stamp) {
    *text_start = *stamp = 0;
    if (end - line < 20) return UNDATED;
    bytes p = line + 19;
    int64_t fraction = 0, scale = INT64_C(1000000000);
    if (*p == '.' && end - p >= 10 && (fraction = nine_digits(p + 1)) >= 0) {
        p += 10;
    } else if (*p == '.') {
        bytes first = ++p;
        fraction = 0;
        while (p < end && p - first < 9 && IS(*p, DIGIT)) {
            fraction = fraction * 10 + (*p++ - '0');
            scale /= 10;
        }
        if (p == first) return UNDATED;
        fraction *= scale;
    }
    int64_t east = 0;
    int plain = p < end && *p == 'Z';
    if (plain) {
        p++;
    } else {
        if (end - p < 6 || (*p != '+' && *p != '-') || p[3] != ':') return UNDATED;
        if (!IS(p[1], DIGIT) || !IS(p[2], DIGIT) || !IS(p[4], DIGIT) || !IS(p[5], DIGIT)) return UNDATED;
        east = (int64_t)(two(p + 1) * 3600 + two(p + 4) * 60) * (*p == '-' ? -1 : 1);
        p += 6;
    }
    if (p < end && *p != ' ') return UNDATED;
    int64_t base = second_ns(line, last, "-", "T");
    if (base < 0) return UNDATED;
    if (p < end) p++;
    else plain = 0;
    if (plain && line[17] < '6') *stamp = p - line; /* the last second of some years has another's number */
    if (end - p >= 9 && (STARTS(p, end, "stdout ") || STARTS(p, end, "stderr ")) && (p[7] == 'F' || p[7] == 'P') &&
        p[8] == ' ')
        p += 9;
    *text_start = p - line;
    int64_t at = base - east * INT64_C(1000000000) + fraction;
    return at < 0 ? UNDATED : at;
}

static int names_zone(bytes p, bytes end) { /* may a zone stand here that is none of those that mean nothing? */
    static const char *const zones[] = { /* timestamps._ZONES_S, but for those that mean UTC */
        "BST", "WEST", "CET", "CEST", "EET", "EEST", "MSK", "EST", "EDT", "CDT", "MST", "MDT", "PST", "PDT", "JST", "KST", NULL,
    };
    if (p == end || *p == 'Z') return 0;
    if (*p == ' ') p++;
    if (p < end && (*p == '+' || *p == '-')) return 1;
    for (int n = 0; zones[n]; n++)
        if (starts(p, end, zones[n], strlen(zones[n]))) return 1;
    return 0;
}

/* The time that a program wrote at the very beginning of its line; UNDATED where it takes timestamps.iso to tell. */
static int64_t own_ns(bytes line, bytes end, Second *last) {
    if (end - line < 19 || !IS(*line, DIGIT)) return UNDATED;
    int64_t base = second_ns(line, last, "-/", "T "), fraction = 0, scale = INT64_C(1000000000);
    if (base < 0) return UNDATED;
    bytes p = line + 19;
    if (end - p >= 2 && (*p == '.' || *p == ',') && IS(p[1], DIGIT))
        for (p++; p < end && IS(*p, DIGIT); p++)
            if (scale > 1) {
                fraction = fraction * 10 + (*p - '0');
                scale /= 10;
            }
    return names_zone(p, end) ? UNDATED : base + fraction * scale;
}

/* --- bytes that are odd --- */

static int is_utf8(bytes p, bytes end) { /* as Python decodes: no overlong forms, no surrogates, nothing over U+10FFFF */
    while (p < end) {
        uint8_t lead = *p++;
        if (lead < 0x80) continue;
        int more = lead >= 0xC2 && lead <= 0xDF ? 1 : (lead & 0xF0) == 0xE0 ? 2 : lead >= 0xF0 && lead <= 0xF4 ? 3 : 0;
        if (!more || end - p < more) return 0;
        uint8_t low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80, high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
        if (*p < low || *p > high) return 0;
        for (int n = 1; n < more; n++)
            if ((p[n] & 0xC0) != 0x80) return 0;
        p += more;
    }
    return 1;
}

static int any_high(bytes p, bytes end) {
    uint64_t seen = 0, word;
    for (; end - p >= 8; p += 8) {
        memcpy(&word, p, 8);
        seen |= word;
    }
    for (; p < end; p++) seen |= *p;
    return (seen & UINT64_C(0x8080808080808080)) != 0;
}

/* --- what Python calls --- */

enum { BROKEN, NULS, COLOURED, TOO_LONG, COUNTS };

/* Finds the lines of a text that ends with a line end (or with the file), each without \n and one \r before it.
 *
 * Writes start and length of each, at most ``limit`` bytes of it, adds to ``counts``, and gives how many lines there are: -1
 * where there are more than ``most``, and then it has to be done again.
 */
int64_t rootcause_lines(bytes text, int64_t size, int64_t limit, int64_t most, int64_t *starts_at, int64_t *lengths,
                        int64_t *counts) {
    bytes p = text, end = text + size;
    uint8_t seen = 0, nuls = 0, coloured = 0;
    for (int64_t n = 0; n < size; n++) { /* once for all, not line by line */
        seen |= text[n];
        nuls |= text[n] == 0;
        coloured |= text[n] == 0x1b;
    }
    int high = seen >= 0x80;
    int64_t lines = 0;
    while (p < end) {
        if (lines == most) return -1;
        bytes stop = memchr(p, '\n', (size_t)(end - p));
        bytes next = stop == NULL ? end : stop + 1;
        if (stop == NULL) stop = end;
        if (stop > p && stop[-1] == '\r') stop--;
        if (stop - p > limit) {
            stop = p + limit;
            counts[TOO_LONG]++;
        }
        if (nuls && memchr(p, 0, (size_t)(stop - p)) != NULL) counts[NULS]++;
        if (coloured && memchr(p, 0x1b, (size_t)(stop - p)) != NULL) counts[COLOURED]++;
        if (high && any_high(p, stop) && !is_utf8(p, stop)) counts[BROKEN]++;
        starts_at[lines] = p - text;
        lengths[lines++] = stop - p;
        p = next;
    }
    return lines;
}

/* Dates lines by the prefix that a container runtime writes; UNDATED where there is none. */
void rootcause_prefixes(bytes text, int64_t lines, const int64_t *starts_at, const int64_t *lengths, int64_t *times,
                        int64_t *text_starts, int64_t *stamps) {
    Second last = {{0}, -1, -1};
    for (int64_t n = 0; n < lines; n++)
        times[n] = prefix_ns(text + starts_at[n], text + starts_at[n] + lengths[n], &last, text_starts + n, stamps + n);
}

/* Dates lines by the time at their very beginning; UNDATED where there is none, or one that is not plain. */
void rootcause_own_times(bytes text, int64_t lines, const int64_t *starts_at, const int64_t *lengths, int64_t *times) {
    Second last = {{0}, -1, -1};
    for (int64_t n = 0; n < lines; n++) times[n] = own_ns(text + starts_at[n], text + starts_at[n] + lengths[n], &last);
}

/* Gives the key of each line's masked form. */
void rootcause_keys(bytes text, int64_t size, int64_t lines, const int64_t *starts_at, const int64_t *lengths,
                    const int64_t *text_starts, uint64_t *keys) {
    Line line;
    line.whole = size < 8 ? text - 1 : text + size - 8;
    int coloured = memchr(text, 0x1b, (size_t)size) != NULL;
    for (int64_t n = 0; n < lines; n++) {
        line.begin = text + starts_at[n] + text_starts[n];
        line.end = text + starts_at[n] + lengths[n];
        keys[n] = line_key(&line, coloured);
    }
}

/* Counts the line ends of a text. */
int64_t rootcause_count(bytes text, int64_t size) {
    int64_t found = 0;
    for (int64_t n = 0; n < size;) { /* few enough together that a byte holds their number */
        int64_t stop = size - n < 255 ? size : n + 255;
        uint8_t some = 0;
        for (; n < stop; n++) some = (uint8_t)(some + (text[n] == '\n'));
        found += some;
    }
    return found;
}

static int may_hold(bytes text, int64_t size, bytes mark) { /* of a mark of four bytes or more: do its first four stand anywhere? */
    uint8_t one = mark[0], two = mark[1], three = mark[2], four = mark[3], any = 0;
    for (int64_t n = 0; n + 3 < size; n++)
        any |= (uint8_t)((text[n] == one) & (text[n + 1] == two) & (text[n + 2] == three) & (text[n + 3] == four));
    return any;
}

/* Tells whether a line of a text begins with ``mark``. */
int64_t rootcause_begins(bytes text, int64_t size, bytes mark, int64_t mark_size) {
    bytes p = text, end = text + size;
    if (mark_size >= 4 && !may_hold(text, size, mark)) return 0;
    while (end - p >= mark_size) {
        if (*p == *mark && memcmp(p, mark, (size_t)mark_size) == 0) return 1;
        if ((p = memchr(p, '\n', (size_t)(end - p))) == NULL) return 0;
        p++;
    }
    return 0;
}

/* Copies lines without their first bytes, so many of each, one after the other, each followed by a line end. */
void rootcause_join(bytes text, int64_t lines, const int64_t *starts_at, const int64_t *lengths, const int64_t *without,
                    uint8_t *out) {
    for (int64_t n = 0; n < lines; n++) {
        size_t size = (size_t)(lengths[n] - without[n]);
        memcpy(out, text + starts_at[n] + without[n], size);
        out += size;
        *out++ = '\n';
    }
}

uint32_t rootcause_mark(void) { return SOURCE_MARK; }
