#include "admm/lattice_order.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

/* Rounds of single changes; each betters the point, and few are needed. */
#define ROUNDS_MOST 1000
/* What is gained by less, of the distance, is rounding. */
#define ROUNDING 1e-12

typedef struct work {
    lattice_order *o;
    double *inverse; /* [d * d] of the leading triangle */
    double *rest;    /* [d] t less the coordinates that are chosen */
} work;

/* ---- one coordinate ---- */

/* inverse := that of the leading n rows and columns, upper. */
static void invert(const work *w, size_t n) {
    const size_t d = w->o->d;
    const double *r = w->o->r;
    for (size_t j = 0; j < n; j++) {
        w->inverse[j * d + j] = 1 / r[j * d + j];
        for (size_t i = j; i-- > 0;) {
            double sum = 0;
            for (size_t k = i + 1; k <= j; k++)
                sum += r[i * d + k] * w->inverse[k * d + j];
            w->inverse[i * d + j] = -sum / r[i * d + i];
        }
    }
}

/* The level nearest to v after the nearest one; infinite where there is no other. */
static double second_gap(const admm_ladder *ladder, double v) {
    const int64_t below = admm_ladder_below(ladder, v);
    double gaps[2] = {INFINITY, INFINITY};
    for (int64_t rung = below - 1; rung <= below + 2; rung++) {
        if (!admm_ladder_has(ladder, rung))
            continue;
        const double gap = fabs(admm_ladder_value(ladder, rung) - v);
        if (gap < gaps[0]) {
            gaps[1] = gaps[0];
            gaps[0] = gap;
        } else if (gap < gaps[1]) {
            gaps[1] = gap;
        }
    }
    return gaps[1];
}

/* Of the first n columns the one to choose next, with the minimum's coordinate there. */
static size_t choose(const work *w, size_t n, double *centre) {
    const size_t d = w->o->d;
    size_t best = 0;
    double most = -1;
    for (size_t i = 0; i < n; i++) {
        double x = 0;
        double length2 = 0;
        for (size_t k = i; k < n; k++) {
            x += w->inverse[i * d + k] * w->rest[k];
            length2 += w->inverse[i * d + k] * w->inverse[i * d + k];
        }
        const double cost = second_gap(&w->o->ladders[i], x) / sqrt(length2);
        if (!(cost > most))
            continue;
        most = cost;
        best = i;
        *centre = x;
    }
    return best;
}

/* ---- the order ---- */

/* Turns rows i and i + 1 so that the entry below the diagonal in column i is 0. */
static void turn(const work *w, size_t i) {
    const size_t d = w->o->d;
    double *upper = w->o->r + i * d;
    double *lower = upper + d;
    const double length = hypot(upper[i], lower[i]);
    if (length == 0)
        return;
    const double c = upper[i] / length;
    const double s = lower[i] / length;
    for (size_t j = i; j < d; j++) {
        const double kept = upper[j];
        upper[j] = c * kept + s * lower[j];
        lower[j] = c * lower[j] - s * kept;
    }
    lower[i] = 0;
    double *const targets[] = {w->o->t, w->rest};
    for (size_t k = 0; k < 2; k++) {
        const double kept = targets[k][i];
        targets[k][i] = c * kept + s * targets[k][i + 1];
        targets[k][i + 1] = c * targets[k][i + 1] - s * kept;
    }
}

/* Column `from` becomes the last of the first n, those between move up. */
static void move_last(const work *w, size_t from, size_t n) {
    lattice_order *o = w->o;
    const size_t d = o->d;
    const size_t order = o->order[from];
    const admm_ladder ladder = o->ladders[from];
    for (size_t i = 0; i < n; i++) {
        double *row = o->r + i * d;
        const double kept = row[from];
        memmove(row + from, row + from + 1, (n - 1 - from) * sizeof *row);
        row[n - 1] = kept;
    }
    for (size_t j = from; j + 1 < n; j++) {
        o->order[j] = o->order[j + 1];
        o->ladders[j] = o->ladders[j + 1];
    }
    o->order[n - 1] = order;
    o->ladders[n - 1] = ladder;
    for (size_t i = from; i + 1 < n; i++)
        turn(w, i);
}

static void find_order(const work *w) {
    lattice_order *o = w->o;
    memcpy(w->rest, o->t, o->d * sizeof *w->rest);
    for (size_t n = o->d; n > 0; n--) {
        double centre = 0;
        invert(w, n);
        move_last(w, choose(w, n, &centre), n);
        o->x[n - 1] = admm_ladder_nearest(&o->ladders[n - 1], centre);
        for (size_t i = 0; i < n; i++)
            w->rest[i] -= o->r[i * o->d + n - 1] * o->x[n - 1];
    }
}

/* ---- a point to begin with ---- */

/* rest := R x - t, and its length^2. */
static double measure(const work *w, const double *x) {
    const lattice_order *o = w->o;
    double sum = 0;
    for (size_t i = 0; i < o->d; i++) {
        w->rest[i] = -o->t[i];
        for (size_t j = i; j < o->d; j++)
            w->rest[i] += o->r[i * o->d + j] * x[j];
        sum += w->rest[i] * w->rest[i];
    }
    return sum;
}

/* Coordinate j to its best level, the others being as they are; what that gains. */
static double better(const work *w, size_t j, double *x) {
    const lattice_order *o = w->o;
    double along = 0;
    double length2 = 0;
    for (size_t i = 0; i <= j; i++) {
        along += o->r[i * o->d + j] * w->rest[i];
        length2 += o->r[i * o->d + j] * o->r[i * o->d + j];
    }
    const double change = admm_ladder_nearest(&o->ladders[j], x[j] - along / length2) - x[j];
    const double gain = -change * (2 * along + change * length2);
    if (!(gain > 0))
        return 0;
    x[j] += change;
    for (size_t i = 0; i <= j; i++)
        w->rest[i] += o->r[i * o->d + j] * change;
    return gain;
}

static double descend(const work *w, double *x) {
    double distance2 = measure(w, x);
    double gain = INFINITY;
    for (int round = 0; round < ROUNDS_MOST && gain > ROUNDING * distance2; round++) {
        gain = 0;
        for (size_t j = 0; j < w->o->d; j++)
            gain += better(w, j, x);
        distance2 = measure(w, x);
    }
    return distance2;
}

/* Levels are lists: a sum of changes would not be a level to the bit. */
static void snap(const lattice_order *o, double *x) {
    for (size_t i = 0; i < o->d; i++)
        x[i] = admm_ladder_nearest(&o->ladders[i], x[i]);
}

static void find_start(const work *w, double *zero) {
    lattice_order *o = w->o;
    memset(zero, 0, o->d * sizeof *zero);
    snap(o, zero);
    const double from_best = descend(w, o->x);
    const double from_zero = descend(w, zero);
    if (from_zero < from_best)
        memcpy(o->x, zero, o->d * sizeof *zero);
    snap(o, o->x);
    o->distance2 = measure(w, o->x);
}

/* ---- the whole ---- */

void lattice_order_free(lattice_order *o) {
    base_free(o->r);
    base_free(o->t);
    base_free(o->order);
    base_free(o->ladders);
    base_free(o->x);
}

admmnn_status lattice_order_create(lattice_order *o, const double *r, const double *t, size_t d,
                                   const admm_ladder *ladders, admmnn_error *err) {
    *o = (lattice_order){.d = d,
                         .r = base_array_copy(r, d * d, sizeof *r),
                         .t = base_array_copy(t, d, sizeof *t),
                         .order = base_array(d, sizeof *o->order),
                         .ladders = base_array_copy(ladders, d, sizeof *ladders),
                         .x = base_array(d, sizeof *o->x)};
    const work w = {.o = o,
                    .inverse = base_array(d * d, sizeof *w.inverse),
                    .rest = base_array(2 * d, sizeof *w.rest)};
    const bool whole = o->r != NULL && o->t != NULL && o->order != NULL && o->ladders != NULL &&
                       o->x != NULL && w.inverse != NULL && w.rest != NULL;
    for (size_t i = 0; whole && i < d; i++)
        o->order[i] = i;
    if (whole) {
        find_order(&w);
        find_start(&w, w.rest + d);
    }
    base_free(w.inverse);
    base_free(w.rest);
    return whole ? ADMMNN_OK : base_fail_memory(err, "the tree's order");
}
