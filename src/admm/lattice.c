#include "admm/lattice.h"

#include <math.h>
#include <string.h>

#include "admm/lattice_basis.h"
#include "admm/lattice_order.h"
#include "base/memory.h"

/* Nodes between two questions whether to stop. */
#define PATIENCE 65536U
/* Nodes that are tried without the ends of the lists, at most. */
#define RELAXED_MOST ((uint64_t)1 << 20)
/* Of a spacing: levels so near to equal steps are equal steps. */
#define EVEN 1e-9
/* Multiples farther out are no whole numbers of a double any more. */
#define RUNGS_MOST 0x1p53

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

/* Betters x, whose distance is the answer's (infinite: none). */
static admmnn_status walk(const tree *w, uint64_t most_nodes, const admmnn_context *context,
                          double *x, lattice_answer *answer, admmnn_error *err) {
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

/* ---- endless ladders ---- */

static admmnn_status walk_reduced(lattice_basis *s, const double *r, const double *t,
                                  const admm_ladder *ladders, uint64_t most_nodes,
                                  const admmnn_context *context, double *x, lattice_answer *answer,
                                  admmnn_error *err) {
    const size_t d = s->d;
    double scale;
    double *triangle = base_array(d * d, sizeof *triangle);
    double *target = base_array(2 * d, sizeof *target);
    admm_ladder *whole = base_array(d, sizeof *whole);
    admmnn_status status = ADMMNN_OK;
    if (triangle == NULL || target == NULL || whole == NULL)
        status = base_fail_memory(err, "the reduced lattice");
    for (size_t i = 0; status == ADMMNN_OK && i < d; i++)
        whole[i].spacing = 1;
    if (status == ADMMNN_OK)
        status = lattice_basis_reduce(s, r, ladders, context, &scale, err);
    if (status == ADMMNN_OK) {
        lattice_basis_triangle(s, t, scale, triangle, target);
        answer->distance2 = 0; /* of the origin, where target + d is: no answer is farther */
        for (size_t i = 0; i < d; i++)
            answer->distance2 += target[i] * target[i];
        status =
            walk_levels(triangle, target, d, whole, most_nodes, context, target + d, answer, err);
        answer->distance2 *= scale * scale;
        lattice_basis_change_back(s, ladders, target + d, x);
    }
    base_free(triangle);
    base_free(target);
    base_free(whole);
    return status;
}

static admmnn_status closest_of_lattice(const double *r, const double *t, size_t d,
                                        const admm_ladder *ladders, uint64_t most_nodes,
                                        const admmnn_context *context, double *x,
                                        lattice_answer *answer, admmnn_error *err) {
    lattice_basis s;
    admmnn_status status = ADMMNN_OK;
    *answer = (lattice_answer){.distance2 = INFINITY};
    if (!lattice_basis_create(&s, d))
        status = base_fail_memory(err, "the lattice's basis");
    if (status == ADMMNN_OK)
        status = walk_reduced(&s, r, t, ladders, most_nodes, context, x, answer, err);
    lattice_basis_free(&s);
    return status;
}

/* ---- lists ---- */

/* The step from level to level; 0: they are not evenly spaced, or there is one. */
static double step_of(const admm_ladder *ladder) {
    if (ladder->count < 2)
        return 0;
    const size_t last = ladder->count - 1;
    const double step = (ladder->levels[last] - ladder->levels[0]) / (double)last;
    for (size_t k = 0; k <= last; k++)
        if (fabs(ladder->levels[k] - ladder->levels[0] - (double)k * step) > EVEN * step)
            return 0;
    return step;
}

/* Replaces x[i], on the endless ladder that level 0 is the origin of, by the level there. */
static bool take_levels(const admm_ladder *ladders, const admm_ladder *endless, size_t d,
                        double *x) {
    for (size_t i = 0; i < d; i++) {
        const double rung = nearbyint(x[i] / endless[i].spacing);
        if (!(rung >= 0 && rung < (double)ladders[i].count))
            return false;
        x[i] = ladders[i].levels[(size_t)rung];
    }
    return true;
}

/* target := t - R (the levels 0); false: some ladder has no even steps. */
static bool relax(const double *r, const double *t, size_t d, const admm_ladder *ladders,
                  admm_ladder *endless, double *target) {
    for (size_t i = 0; i < d; i++) {
        endless[i] = (admm_ladder){.spacing = step_of(&ladders[i])};
        target[i] = t[i];
        for (size_t j = i; j < d && ladders[j].count > 0; j++)
            target[i] -= r[i * d + j] * ladders[j].levels[0];
        if (endless[i].spacing == 0)
            return false;
    }
    return true;
}

/* Where evenly spaced levels had no ends: a closest point within them is the answer. What
 * it cannot find it leaves to the tree. */
static admmnn_status try_without_ends(const double *r, const double *t, size_t d,
                                      const admm_ladder *ladders, uint64_t most_nodes,
                                      const admmnn_context *context, double *x,
                                      lattice_answer *answer, admmnn_error *err) {
    admm_ladder *endless = base_array(d, sizeof *endless);
    double *target = base_array(d, sizeof *target);
    admmnn_status status = ADMMNN_OK;
    if (endless == NULL || target == NULL)
        status = base_fail_memory(err, "the lattice");
    else if (relax(r, t, d, ladders, endless, target))
        status = closest_of_lattice(r, target, d, endless, most_nodes, context, x, answer, err);
    if (status == ADMMNN_USAGE) /* nearly singular, or the minimum is far out */
        status = ADMMNN_OK;
    answer->proven = status == ADMMNN_OK && answer->proven && take_levels(ladders, endless, d, x);
    if (!answer->proven) /* a point without ends is none of the lists' */
        answer->distance2 = INFINITY;
    base_free(endless);
    base_free(target);
    return status;
}

static admmnn_status walk_in_order(const lattice_order *o, uint64_t most_nodes,
                                   const admmnn_context *context, double *x, lattice_answer *answer,
                                   admmnn_error *err) {
    answer->distance2 = o->distance2;
    const admmnn_status status =
        walk_levels(o->r, o->t, o->d, o->ladders, most_nodes, context, o->x, answer, err);
    for (size_t i = 0; i < o->d; i++)
        x[o->order[i]] = o->x[i];
    return status;
}

static admmnn_status closest_of_lists(const double *r, const double *t, size_t d,
                                      const admm_ladder *ladders, uint64_t most_nodes,
                                      const admmnn_context *context, double *x,
                                      lattice_answer *answer, admmnn_error *err) {
    lattice_order o;
    const uint64_t half = most_nodes == 0 ? RELAXED_MOST : most_nodes / 2;
    if (half > 0)
        BASE_TRY(try_without_ends(r, t, d, ladders, half < RELAXED_MOST ? half : RELAXED_MOST,
                                  context, x, answer, err));
    if (answer->proven)
        return ADMMNN_OK;
    admmnn_status status = lattice_order_create(&o, r, t, d, ladders, err);
    if (status == ADMMNN_OK)
        status = walk_in_order(&o, most_nodes, context, x, answer, err);
    lattice_order_free(&o);
    return status;
}

/* ---- the whole ---- */

admmnn_status lattice_closest(const double *r, const double *t, size_t d,
                              const admm_ladder *ladders, uint64_t most_nodes,
                              const admmnn_context *context, double *x, lattice_answer *answer,
                              admmnn_error *err) {
    size_t endless = 0;
    *answer = (lattice_answer){.distance2 = INFINITY};
    BASE_TRY(check(r, t, d, ladders, err));
    for (size_t i = 0; i < d; i++)
        endless += ladders[i].count == 0;
    if (endless == d)
        return closest_of_lattice(r, t, d, ladders, most_nodes, context, x, answer, err);
    if (endless == 0)
        return closest_of_lists(r, t, d, ladders, most_nodes, context, x, answer, err);
    return walk_levels(r, t, d, ladders, most_nodes, context, x, answer, err);
}
