/* The loops over columns of numbers: distinct keys, and runs of times that may hold a burst.
 *
 * Plain C99 without Python's headers, as scan.c; no call holds the interpreter's lock.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* --- what bot/signals/bursts.py asks of a run of times --- */

#define BIN_S 60.0        /* bursts.BIN_S */
#define RISE 3.0          /* hot_bins.RISE */
#define SIGNIFICANT -13.0 /* hot_bins.SIGNIFICANT */
#define GOES_ON -7.0      /* hot_bins.GOES_ON */
#define LEAST_RATE 1e-4   /* hot_bins.LEAST_RATE */
#define LEAST_FULL 4.0    /* bursts.LEAST_FULL */
#define HAIR 1e-6         /* logarithms differ by less from one library to the next */

typedef struct { /* how busy the one is whose lines they are: bursts.Exposure */
    double start_s;
    int64_t bins;
    const double *level; /* by bin */
    double total;
    int64_t stretch; /* bins of one, 0 where there are none */
    int64_t stretches;
    const double *per_stretch;
    const double *least[3]; /* by bin, for each of the widths; NULL where the window is shorter */
} Exposure;

static const int64_t widths[3] = {1, 5, 30}; /* hot_bins.SCALES_BINS */

typedef struct { /* room for one run's counts: of the bins that hold lines, which, how many, and how many before each */
    uint32_t *dense;
    uint64_t *marks;
    int64_t *held, *which;
    double *counts, *levelled, *before, *stretches;
} Room;

static int ascending(const void *one, const void *other) {
    double a = *(const double *)one, b = *(const double *)other;
    return (a > b) - (a < b);
}

static double lower_fifth(const Exposure *of, const Room *room, int64_t held) { /* bursts._lower_fifth, of lines to due */
    double *values = room->stretches, place = 0.2 * (double)(of->stretches - 1);
    int64_t low = (int64_t)place, high = low + 1 < of->stretches ? low + 1 : of->stretches - 1, filled = 0;
    memset(values, 0, (size_t)of->stretches * sizeof *values);
    for (int64_t n = 0; n < held; n++) {
        int64_t at = room->held[n] / of->stretch;
        if (at >= of->stretches) continue;
        filled += values[at] == 0.0;
        values[at] += room->counts[n];
    }
    if (of->stretches - filled > high) return 0.0;
    for (int64_t n = 0; n < of->stretches; n++) values[n] /= of->per_stretch[n];
    qsort(values, (size_t)of->stretches, sizeof *values, ascending);
    return values[low] + (values[high] - values[low]) * (place - (double)low);
}

static double background(const Exposure *of, const Room *room, int64_t held) { /* bursts.background, step by step */
    double total = 0.0;
    int64_t many = 0; /* bins with so many lines that they could be too full; they come first in ``levelled`` and ``which`` */
    for (int64_t n = 0; n < held; n++) {
        total += room->counts[n];
        room->which[many] = n;
        many += room->counts[n] >= LEAST_FULL;
    }
    for (int64_t n = 0; n < many; n++) room->levelled[n] = sqrt(room->counts[room->which[n]] + 0.375);
    double rate = total / of->total;
    for (int round = 0; round < 12; round++) {
        double full = 0.0, share = 0.0;
        for (int64_t n = 0; n < many; n++) {
            double level = of->level[room->held[room->which[n]]];
            if (2.0 * (room->levelled[n] - sqrt(rate * level + 0.375)) >= 2.5) {
                full += room->counts[room->which[n]];
                share += level;
            }
        }
        double left = of->total - share, fresh = (total - full) / (left > 1e-9 ? left : 1e-9);
        if (fabs(fresh - rate) <= 1e-3 * rate) break;
        rate = fresh;
    }
    if (of->stretch >= 1) {
        double low = lower_fifth(of, room, held), size = (double)of->stretch;
        double per_bin = low + 0.84 * sqrt((low > 0.0 ? low : 0.0) / size) + 0.5 / size;
        if (2.0 * per_bin < rate) rate = 2.0 * per_bin;
    }
    return rate;
}

#define FACTORIALS 2048 /* as many as hot_bins._LOG_FACTORIALS */
#define KNOWN 64        /* counts below it are judged by a look at a table, mostly */
#define WIDE_HAIR 0.01  /* of a logarithm: the two ways to reckon differ by less */

static double log_factorials[FACTORIALS];

static double log_tail(double count, double mean) { /* hot_bins.log_tail, where the count is above the mean */
    double factorial = count < FACTORIALS ? log_factorials[(int)count]
                                          : count * log(count) - count + 0.5 * log(6.283185307179586 * count);
    double bound = count * log(mean) - mean - factorial - log1p(-mean / (count + 1.0));
    return bound < 0.0 ? bound : 0.0;
}

typedef struct { double most, low[KNOWN], high[KNOWN]; } Limit;
/* For each count: up to ``low`` due the tail is surely under ``most``, from ``high`` on it surely is not. */

static Limit significant = {SIGNIFICANT, {0}, {0}}, neighbouring = {GOES_ON, {0}, {0}};

static double due_for(double count, double tail) { /* the tail grows with what is due */
    double low = 1e-12, high = count * (1.0 - 1e-9);
    if (log_tail(count, high) < tail) return high;
    for (int turn = 0; turn < 40; turn++) {
        double middle = turn < 8 ? sqrt(low * high) : 0.5 * (low + high);
        if (log_tail(count, middle) < tail) low = middle;
        else high = middle;
    }
    return low;
}

static void prepare_limit(Limit *limit) {
    for (int count = 2; count < KNOWN; count++) {
        limit->low[count] = due_for((double)count, limit->most - WIDE_HAIR);
        limit->high[count] = due_for((double)count, limit->most + WIDE_HAIR) * (1.0 + 1e-6);
    }
}

__attribute__((constructor)) static void prepare(void) { /* when the library is loaded: no thread sees half a table */
    for (int n = 1; n < FACTORIALS; n++) log_factorials[n] = log_factorials[n - 1] + log((double)n);
    prepare_limit(&significant);
    prepare_limit(&neighbouring);
}

/* Tells without a logarithm where it can: 1 where the tail is under the limit, 0 where it is not, -1 where it has to be reckoned. */
static inline int under(const Limit *limit, double count, double mean) {
    if (!(count >= 2.0 && count < KNOWN) || count != (double)(int)count) return -1;
    return mean <= limit->low[(int)count] ? 1 : mean >= limit->high[(int)count] ? 0 : -1;
}

static int too_many(double count, double mean) { /* bursts.log_tail under SIGNIFICANT, or nearly */
    int known = under(&significant, count, mean);
    if (known >= 0) return known;
    double factorial = count * log(count) - count + 0.5 * log(6.283185307179586 * count) + 1.0 / (12.0 * count);
    return count * log(mean) - mean - factorial - log1p(-mean / (count + 1.0)) < SIGNIFICANT + HAIR;
}

static int may_rise(const Exposure *of, const Room *room, int64_t held, double rate) { /* bursts._may_burst */
    for (int scale = 0; scale < 3; scale++) {
        const double *least = of->least[scale];
        if (least == NULL) continue;
        for (int64_t n = 0, end = 0; n < held; n++) {
            while (end < held && room->held[end] < room->held[n] + widths[scale]) end++;
            double seen = room->before[end] - room->before[n], due = rate * least[room->held[n]];
            if (due < 0.0) due = 0.0;
            double floor = LEAST_RATE * (1.0 - HAIR);
            if (seen >= 2.0 && seen > RISE * due && too_many(seen, due > floor ? due : floor)) return 1;
        }
    }
    return 0;
}

static int64_t counted(const double *times, int64_t lines, const Exposure *of, const Room *room) { /* gives the bins held */
    for (int64_t n = 0; n < lines; n++) {
        int64_t bin = (int64_t)((times[n] - of->start_s) / BIN_S);
        bin = bin < 0 ? 0 : bin >= of->bins ? of->bins - 1 : bin;
        room->dense[bin]++;
        room->marks[bin >> 6] |= UINT64_C(1) << (bin & 63);
    }
    int64_t held = 0;
    double before = 0.0;
    for (int64_t word = 0; word <= (of->bins - 1) >> 6; word++) {
        for (int64_t bin = word << 6; room->marks[word]; bin++, room->marks[word] >>= 1) {
            if (!(room->marks[word] & 1)) continue;
            room->held[held] = bin;
            room->counts[held] = (double)room->dense[bin];
            room->before[held++] = before;
            before += (double)room->dense[bin];
            room->dense[bin] = 0;
        }
    }
    room->before[held] = before;
    return held;
}

static int fold_is_full(const double *times, int64_t lines, double gap_s, int64_t least, double *sorted) {
    memcpy(sorted, times, (size_t)lines * sizeof *sorted);
    qsort(sorted, (size_t)lines, sizeof *sorted, ascending);
    for (int64_t n = 1, size = 1; n <= lines; n++) {
        if (size >= least) return 1;
        size = n < lines && sorted[n] - sorted[n - 1] > gap_s ? 1 : size + 1;
    }
    return 0;
}

/* Tells of each run ``[firsts[n], firsts[n + 1])`` of one's times whether bursts.bursts could find one of ``least`` lines in it.
 *
 * A run of at most ``few`` lines is folded at ``gap_s`` of silence, a longer one held against its background. Says no only
 * where that is sure. Gives 0, or -1 where there is no memory.
 */
int64_t rootcause_may_burst(const double *times, const int64_t *firsts, int64_t runs, int64_t few, double gap_s, int64_t least,
                            double start_s, int64_t bins, const double *level, double total, int64_t stretch,
                            int64_t stretches, const double *per_stretch, const double *least_1, const double *least_5,
                            const double *least_30, uint8_t *told) {
    Exposure of = {start_s, bins, level, total, stretch, stretches, per_stretch, {least_1, least_5, least_30}};
    size_t most = (size_t)bins + 1;
    Room room = {0};
    double *sorted = malloc(((size_t)few + 1) * sizeof *sorted);
    room.dense = calloc(most, sizeof *room.dense);
    room.marks = calloc((most >> 6) + 1, sizeof *room.marks);
    room.held = malloc(most * sizeof *room.held);
    room.which = malloc(most * sizeof *room.which);
    room.counts = malloc(most * sizeof *room.counts);
    room.levelled = malloc(most * sizeof *room.levelled);
    room.before = malloc((most + 1) * sizeof *room.before);
    room.stretches = malloc(((size_t)stretches + 1) * sizeof *room.stretches);
    int whole = sorted && room.dense && room.marks && room.held && room.which && room.counts && room.levelled && room.before &&
                room.stretches;
    for (int64_t run = 0; whole && run < runs; run++) {
        const double *first = times + firsts[run];
        int64_t lines = firsts[run + 1] - firsts[run];
        if (lines <= few) {
            told[run] = (uint8_t)fold_is_full(first, lines, gap_s, least, sorted);
        } else {
            int64_t held = counted(first, lines, &of, &room);
            told[run] = (uint8_t)may_rise(&of, &room, held, background(&of, &room, held));
        }
    }
    free(sorted);
    free(room.dense);
    free(room.marks);
    free(room.held);
    free(room.which);
    free(room.counts);
    free(room.levelled);
    free(room.before);
    free(room.stretches);
    return whole ? 0 : -1;
}

typedef struct { const double *counts, *expected; uint8_t *hot; double *lines, *due, *known; } Bins;

static void sum(const Bins *of, int64_t bins, int any_hot) { /* from the first bin on, as numpy does; what is hot counts for nothing */
    of->lines[0] = of->due[0] = of->known[0] = of->known[bins] = 0.0;
    if (!any_hot) {
        for (int64_t bin = 0; bin < bins; bin++) {
            of->lines[bin + 1] = of->lines[bin] + of->counts[bin];
            of->due[bin + 1] = of->due[bin] + of->expected[bin];
        }
        return;
    }
    for (int64_t bin = 0; bin < bins; bin++) {
        of->lines[bin + 1] = of->lines[bin] + (of->hot[bin] ? 0.0 : of->counts[bin]);
        of->due[bin + 1] = of->due[bin] + (of->hot[bin] ? 0.0 : of->expected[bin]);
        of->known[bin + 1] = of->known[bin] + (double)of->hot[bin];
    }
}

static double least_of(const double *values, int64_t size) { /* four at a time, which do not wait for each other */
    double least[4] = {values[0], values[0], values[0], values[0]};
    int64_t n = 0;
    for (; n + 4 <= size; n += 4) {
        for (int lane = 0; lane < 4; lane++) least[lane] = values[n + lane] < least[lane] ? values[n + lane] : least[lane];
    }
    for (; n < size; n++) least[0] = values[n] < least[0] ? values[n] : least[0];
    for (int lane = 1; lane < 4; lane++) least[0] = least[lane] < least[0] ? least[lane] : least[0];
    return least[0];
}

/* Marks the hot bins of windows that hold too much; gives how many windows do, -1 where one is too near a limit.
 *
 * What is marked on the way changes no sum: those were taken before.
 */
static int64_t mark_windows(const Bins *of, int64_t bins, int64_t width, double least) {
    int any_known = width > 1 && of->known[bins] > 0.0;
    double asked = any_known ? 0.0 : RISE * least * (double)width * (1.0 - HAIR), few = asked > 2.0 ? asked : 2.0;
    int64_t strong = 0, marked = 0; /* the bins before this one are told */
    for (int64_t bin = 0; bin + width <= bins; bin++) {
        double seen = width > 1 ? of->lines[bin + width] - of->lines[bin] : of->counts[bin];
        if (seen < few) continue;
        double due = width > 1 ? of->due[bin + width] - of->due[bin] : of->expected[bin];
        if (seen <= RISE * due) continue;
        const Limit *limit = any_known && of->known[bin + width] - of->known[bin] > 0.5 ? &neighbouring : &significant;
        if (due < LEAST_RATE) due = LEAST_RATE;
        int known = under(limit, seen, due);
        if (known == 0) continue;
        double over = known > 0 ? -1.0 : log_tail(seen, due) - limit->most;
        if (fabs(over) < HAIR) return -1;
        if (over > 0.0) continue;
        for (int64_t at = bin > marked ? bin : marked; at < bin + width; at++) {
            if (of->counts[at] > 1.5 * of->expected[at]) of->hot[at] = 1;
        }
        marked = bin + width;
        strong++;
    }
    return strong;
}

/* Marks the bins whose lines belong to a burst, as signals/hot_bins.py does, in ``hot``, which holds zeros.
 *
 * ``room`` has 3 (bins + 1) places. Gives 0 where a logarithm's last digits would tell, and marks nothing of use.
 */
int64_t rootcause_hot(const double *counts, const double *expected, int64_t bins, double *room, uint8_t *hot) {
    Bins of = {counts, expected, hot, room, room + bins + 1, room + 2 * (bins + 1)};
    double least = least_of(expected, bins);
    int64_t strong = 1;
    int any_hot = 0;
    for (int scale = 0; scale < 3 && widths[scale] <= bins; scale++) {
        any_hot |= strong > 0 && scale > 0;
        if (scale == 1 || (scale > 1 && strong)) sum(&of, bins, any_hot); /* windows of one bin need no sums */
        strong = mark_windows(&of, bins, widths[scale], least);
        if (strong < 0) return 0;
    }
    return 1;
}

/* --- how columns are stored, bot/casefile/blocks.py --- */

#define LAY_OUT(type)                                                                                       \
    const type *column = numbers;                                                                           \
    type all = column[0];                                                                                   \
    if (ascending)                                                                                          \
        for (int64_t n = 1; n < size; n++) all |= column[n] - column[n - 1];                                \
    else                                                                                                    \
        for (int64_t n = 1; n < size; n++) all |= column[n];                                                \
    while (held < width && all >> 8 * held) held++;                                                         \
    for (int64_t plane = 0; plane < held; plane++, planes += size) {                                        \
        planes[0] = (uint8_t)(column[0] >> 8 * plane);                                                      \
        if (ascending)                                                                                      \
            for (int64_t n = 1; n < size; n++) planes[n] = (uint8_t)((column[n] - column[n - 1]) >> 8 * plane); \
        else                                                                                                \
            for (int64_t n = 1; n < size; n++) planes[n] = (uint8_t)(column[n] >> 8 * plane);               \
    }

/* Lays out numbers of 4 or 8 bytes plane by plane: all lowest bytes, then the next. ``ascending``: each less the one before.
 *
 * There is at least one number. Gives how many planes there are: none behind the last one that holds anything, one at least.
 */
int64_t rootcause_planes(const void *numbers, int64_t size, int64_t width, int64_t ascending, uint8_t *planes) {
    int64_t held = 1;
    if (width == 8) {
        LAY_OUT(uint64_t)
    } else {
        LAY_OUT(uint32_t)
    }
    return held;
}

#define TAKE(type, count)                                                                                    \
    case count:                                                                                              \
        for (int64_t n = 0; n < size; n++) {                                                                 \
            uint64_t number = 0;                                                                             \
            for (int64_t plane = 0; plane < (count); plane++) number |= (uint64_t)planes[plane * size + n] << 8 * plane; \
            ((type *)numbers)[n] = (type)number;                                                             \
        }                                                                                                    \
        break;
#define TAKE_FOUR(type) TAKE(type, 1) TAKE(type, 2) TAKE(type, 3) TAKE(type, 4)

/* Undoes the above, of ``held`` planes: as many as a number has bytes, or fewer. */
void rootcause_numbers(const uint8_t *planes, int64_t size, int64_t held, int64_t width, int64_t ascending, void *numbers) {
    if (width == 8) {
        uint64_t *wide = numbers;
        switch (held) { TAKE_FOUR(uint64_t) TAKE(uint64_t, 5) TAKE(uint64_t, 6) TAKE(uint64_t, 7) TAKE(uint64_t, 8) }
        for (int64_t n = 1; ascending && n < size; n++) wide[n] += wide[n - 1];
    } else {
        uint32_t *narrow = numbers;
        switch (held) { TAKE_FOUR(uint32_t) }
        for (int64_t n = 1; ascending && n < size; n++) narrow[n] += narrow[n - 1];
    }
}

/* --- distinct keys --- */

/* Numbers keys by the order in which they first appear: the number of each, and of each number the first place.
 *
 * ``table`` has ``places`` zeros, a power of two, more than twice as many as there are keys. Gives how many are distinct.
 */
int64_t rootcause_number(const uint64_t *keys, int64_t size, int32_t *table, int64_t places, int32_t *numbers, int64_t *firsts) {
    uint64_t mask = (uint64_t)places - 1;
    int32_t distinct = 0;
    for (int64_t n = 0; n < size; n++) {
        uint64_t place = (keys[n] ^ (keys[n] >> 29)) & mask;
        while (table[place] && keys[firsts[table[place] - 1]] != keys[n]) place = (place + 1) & mask;
        if (!table[place]) {
            firsts[distinct] = n;
            table[place] = ++distinct;
        }
        numbers[n] = table[place] - 1;
    }
    return distinct;
}
