#include "admm/lattice.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

/* Of the reduction (Lovasz's condition): the nearer to 1, the shorter the basis. */
#define REDUCTION 0.999
/* Nodes, and swaps of the reduction, between two questions whether to stop. */
#define PATIENCE 65536U
#define SWAP_PATIENCE 256U
/* A vector is short after two rounds or three; more are rounding that chases itself. */
#define ROUNDS_MOST 100
/* Multiples farther out are no whole numbers of a double any more. */
#define RUNGS_MOST 0x1p53

static double dot(const double *x, const double *y, size_t d) {
    double sum = 0;
    for (size_t i = 0; i < d; i++)
        sum += x[i] * y[i];
    return sum;
}

static void subtract(double *x, double factor, const double *y, size_t d) {
    for (size_t i = 0; i < d; i++)
        x[i] -= factor * y[i];
}

/* ---- the basis ---- */

/* Vector j of the basis is b[j * d .. + d] = sum_i change[j * d + i] old vector i. star:
 * the vectors made orthogonal; mu[j * d + i]: the share of star i in vector j. */
typedef struct basis {
    size_t d;
    double *b, *star, *mu, *length2, *change;
} basis;

static void basis_free(basis *s) {
    base_free(s->b);
    base_free(s->star);
    base_free(s->mu);
    base_free(s->length2);
    base_free(s->change);
}

static bool basis_create(basis *s, size_t d) {
    *s = (basis){.d = d,
                 .b = base_array(d * d, sizeof(double)),
                 .star = base_array(d * d, sizeof(double)),
                 .mu = base_array(d * d, sizeof(double)),
                 .length2 = base_array(d, sizeof(double)),
                 .change = base_array(d * d, sizeof(double))};
    return s->b != NULL && s->star != NULL && s->mu != NULL && s->length2 != NULL &&
           s->change != NULL;
}

/* Gram-Schmidt (modified) of vector j, those before it being done. */
static void orthogonalise(basis *s, size_t j) {
    const size_t d = s->d;
    double *star = s->star + j * d;
    memcpy(star, s->b + j * d, d * sizeof *star);
    for (size_t i = 0; i < j; i++) {
        const double mu = dot(star, s->star + i * d, d) / s->length2[i];
        s->mu[j * d + i] = mu;
        subtract(star, mu, s->star + i * d, d);
    }
    s->length2[j] = dot(star, star, d);
}

/* Takes from vector k whole multiples of those before it; true when any was taken. */
static bool shorten(basis *s, size_t k) {
    const size_t d = s->d;
    bool changed = false;
    for (size_t j = k; j-- > 0;) {
        const double whole = nearbyint(s->mu[k * d + j]);
        if (whole == 0)
            continue;
        subtract(s->b + k * d, whole, s->b + j * d, d);
        subtract(s->change + k * d, whole, s->change + j * d, d);
        subtract(s->mu + k * d, whole, s->mu + j * d, j);
        s->mu[k * d + j] -= whole;
        changed = true;
    }
    return changed;
}

static void swap(double *x, double *y, size_t d) {
    for (size_t i = 0; i < d; i++) {
        const double kept = x[i];
        x[i] = y[i];
        y[i] = kept;
    }
}

static bool is_sound(const basis *s, size_t k) {
    bool sound = s->length2[k] > 0 && isfinite(s->length2[k]);
    for (size_t i = 0; i < k; i++)
        sound = sound && isfinite(s->mu[k * s->d + i]);
    return sound;
}

/* Sums are of floats: a vector is shortened until nothing more can be taken from it. False:
 * the vectors depend on one another as far as floats can tell. */
static bool settle(basis *s, size_t k) {
    orthogonalise(s, k);
    for (int round = 0; is_sound(s, k) && round < ROUNDS_MOST; round++) {
        if (!shorten(s, k))
            return true;
        orthogonalise(s, k);
    }
    return false;
}

static admmnn_status reduce(basis *s, const admmnn_context *context, admmnn_error *err) {
    const size_t d = s->d;
    size_t swaps = 0;
    orthogonalise(s, 0);
    for (size_t k = 1; k < d;) {
        if (!is_sound(s, 0) || !settle(s, k))
            return base_fail(err, ADMMNN_USAGE,
                             "Q is too nearly singular: its lattice cannot be reduced");
        if (++swaps % SWAP_PATIENCE == 0 && base_cancelled(context))
            return base_fail(err, ADMMNN_CANCELLED, "stopped on request");
        const double mu = s->mu[k * d + k - 1];
        if (s->length2[k] >= (REDUCTION - mu * mu) * s->length2[k - 1]) {
            k++;
            continue;
        }
        swap(s->b + k * d, s->b + (k - 1) * d, d);
        swap(s->change + k * d, s->change + (k - 1) * d, d);
        orthogonalise(s, k - 1);
        k = k > 1 ? k - 1 : 1;
    }
    return ADMMNN_OK;
}

/* ---- the tree ---- */

/* Level i of the tree chooses coordinate i, the last one first. Its candidates are tried
 * from the nearest to the unconstrained minimum outwards. */
typedef struct level {
    double centre;    /* the minimum, given the coordinates above */
    double x;         /* the candidate */
    double below2;    /* distance^2 of the levels above this one */
    int64_t down, up; /* the next candidates on either side */
} level;

typedef struct tree {
    size_t d;
    const double *r, *t;
    const admm_ladder *ladders;
    level *levels;
} tree;

/* The next candidate of a level; false when there is none. */
static bool next_candidate(const admm_ladder *ladder, level *at) {
    const bool down = admm_ladder_has(ladder, at->down);
    const bool up = admm_ladder_has(ladder, at->up);
    if (!down && !up)
        return false;
    const double below = down ? admm_ladder_value(ladder, at->down) : 0;
    const double above = up ? admm_ladder_value(ladder, at->up) : 0;
    const bool take_down = !up || (down && at->centre - below <= above - at->centre);
    at->x = take_down ? below : above;
    if (take_down)
        at->down--;
    else
        at->up++;
    return true;
}

/* False: the minimum is too far out. */
static bool enter(const tree *w, size_t i, double below2) {
    const double *row = w->r + i * w->d;
    double rest = w->t[i];
    for (size_t j = i + 1; j < w->d; j++)
        rest -= row[j] * w->levels[j].x;
    level *at = &w->levels[i];
    at->centre = rest / row[i];
    at->below2 = below2;
    if (w->ladders[i].count == 0 && !(fabs(at->centre / w->ladders[i].spacing) < RUNGS_MOST))
        return false;
    at->down = admm_ladder_below(&w->ladders[i], at->centre);
    at->up = at->down + 1;
    return true;
}

static admmnn_status fail_far(admmnn_error *err) {
    return base_fail(
        err, ADMMNN_USAGE,
        "the minimum lies more than 2^53 multiples out, where they are not told apart");
}

static admmnn_status walk(const tree *w, uint64_t most_nodes, const admmnn_context *context,
                          double *x, lattice_answer *answer, admmnn_error *err) {
    *answer = (lattice_answer){.distance2 = INFINITY};
    size_t i = w->d - 1;
    if (!enter(w, i, 0))
        return fail_far(err);
    for (;;) {
        if (answer->nodes % PATIENCE == 0 && base_cancelled(context))
            return base_fail(err, ADMMNN_CANCELLED, "stopped on request");
        if (most_nodes > 0 && answer->nodes == most_nodes)
            return ADMMNN_OK;
        level *at = &w->levels[i];
        double distance2 = INFINITY;
        if (next_candidate(&w->ladders[i], at)) {
            const double gap = w->r[i * w->d + i] * (at->x - at->centre);
            distance2 = at->below2 + gap * gap;
            answer->nodes++;
        }
        if (distance2 >= answer->distance2) { /* nor is any farther out */
            if (++i == w->d)
                break;
            continue;
        }
        if (i > 0) {
            if (!enter(w, --i, distance2))
                return fail_far(err);
            continue;
        }
        answer->distance2 = distance2;
        for (size_t j = 0; j < w->d; j++)
            x[j] = w->levels[j].x;
    }
    answer->proven = true;
    return ADMMNN_OK;
}

/* ---- the whole ---- */

static admmnn_status check(const double *r, const double *t, size_t d, const admm_ladder *ladders,
                           admmnn_error *err) {
    for (size_t i = 0; i < d; i++) {
        bool finite = isfinite(t[i]);
        for (size_t j = i; j < d; j++)
            finite &= isfinite(r[i * d + j]);
        if (!finite || r[i * d + i] == 0)
            return base_fail(err, ADMMNN_USAGE, "row %zu of the triangle is %s", i,
                             finite ? "singular" : "not finite");
        const admm_ladder *ladder = &ladders[i];
        if (ladder->count == 0 && !(ladder->spacing > 0 && isfinite(ladder->spacing)))
            return base_fail(err, ADMMNN_USAGE, "coordinate %zu has no levels", i);
    }
    return ADMMNN_OK;
}

static bool all_endless(const admm_ladder *ladders, size_t d) {
    for (size_t i = 0; i < d; i++)
        if (ladders[i].count != 0)
            return false;
    return true;
}

static admmnn_status walk_levels(const double *r, const double *t, size_t d,
                                 const admm_ladder *ladders, uint64_t most_nodes,
                                 const admmnn_context *context, double *x, lattice_answer *answer,
                                 admmnn_error *err) {
    tree w = {.d = d, .r = r, .t = t, .ladders = ladders};
    w.levels = base_array(d, sizeof *w.levels);
    if (w.levels == NULL)
        return base_fail_memory(err, "the tree");
    admmnn_status status = walk(&w, most_nodes, context, x, answer, err);
    base_free(w.levels);
    return status;
}

/* The lattice's vectors in the order they are reduced from. */
static void fill_basis(basis *s, const double *r, const admm_ladder *ladders) {
    const size_t d = s->d;
    for (size_t j = 0; j < d; j++) {
        for (size_t i = 0; i <= j; i++)
            s->b[j * d + i] = r[i * d + j] * ladders[j].spacing;
        s->change[j * d + j] = 1;
    }
}

/* Divides the basis by its largest entry, lest its squares leave floating point. */
static double scale_basis(basis *s) {
    double largest = 0;
    for (size_t i = 0; i < s->d * s->d; i++)
        largest = fmax(largest, fabs(s->b[i]));
    for (size_t i = 0; i < s->d * s->d; i++)
        s->b[i] /= largest;
    return largest;
}

/* The reduced basis as a triangle (by rows), with the target in its axes; multipliers are
 * whole numbers. */
static void triangle_of(const basis *s, const double *t, double scale, double *r, double *target) {
    const size_t d = s->d;
    for (size_t i = 0; i < d; i++) {
        const double length = sqrt(s->length2[i]);
        target[i] = dot(t, s->star + i * d, d) / length / scale;
        r[i * d + i] = length;
        for (size_t j = i + 1; j < d; j++)
            r[i * d + j] = s->mu[j * d + i] * length;
    }
}

static void change_back(const basis *s, const admm_ladder *ladders, const double *multipliers,
                        double *x) {
    const size_t d = s->d;
    for (size_t i = 0; i < d; i++) {
        double whole = 0;
        for (size_t j = 0; j < d; j++)
            whole += multipliers[j] * s->change[j * d + i];
        x[i] = whole * ladders[i].spacing;
    }
}

static admmnn_status walk_reduced(basis *s, const double *r, const double *t,
                                  const admm_ladder *ladders, uint64_t most_nodes,
                                  const admmnn_context *context, double *x, lattice_answer *answer,
                                  admmnn_error *err) {
    const size_t d = s->d;
    double *triangle = base_array(d * d, sizeof *triangle);
    double *target = base_array(2 * d, sizeof *target);
    admm_ladder *whole = base_array(d, sizeof *whole);
    admmnn_status status = ADMMNN_OK;
    if (triangle == NULL || target == NULL || whole == NULL)
        status = base_fail_memory(err, "the reduced lattice");
    for (size_t i = 0; status == ADMMNN_OK && i < d; i++)
        whole[i].spacing = 1;
    double scale = 1;
    if (status == ADMMNN_OK) {
        fill_basis(s, r, ladders);
        scale = scale_basis(s);
        status = reduce(s, context, err);
    }
    if (status == ADMMNN_OK) {
        triangle_of(s, t, scale, triangle, target);
        status =
            walk_levels(triangle, target, d, whole, most_nodes, context, target + d, answer, err);
        answer->distance2 *= scale * scale;
        if (answer->distance2 < INFINITY)
            change_back(s, ladders, target + d, x);
    }
    base_free(triangle);
    base_free(target);
    base_free(whole);
    return status;
}

admmnn_status lattice_closest(const double *r, const double *t, size_t d,
                              const admm_ladder *ladders, uint64_t most_nodes,
                              const admmnn_context *context, double *x, lattice_answer *answer,
                              admmnn_error *err) {
    *answer = (lattice_answer){.distance2 = INFINITY};
    BASE_TRY(check(r, t, d, ladders, err));
    if (!all_endless(ladders, d))
        return walk_levels(r, t, d, ladders, most_nodes, context, x, answer, err);
    basis s;
    admmnn_status status = ADMMNN_OK;
    if (!basis_create(&s, d))
        status = base_fail_memory(err, "the lattice's basis");
    if (status == ADMMNN_OK)
        status = walk_reduced(&s, r, t, ladders, most_nodes, context, x, answer, err);
    basis_free(&s);
    return status;
}
