#include "admm/lattice_basis.h"

#include <math.h>
#include <string.h>

#include "admm/vector.h"
#include "base/memory.h"

/* Of the reduction (Lovasz's condition): the nearer to 1, the shorter the basis. */
#define REDUCTION 0.999
/* Swaps between two questions whether to stop. */
#define SWAP_PATIENCE 256U
/* A vector is short after two rounds or three; more are rounding that chases itself. */
#define ROUNDS_MOST 100

static void subtract(double *x, double factor, const double *y, size_t d) {
    for (size_t i = 0; i < d; i++)
        x[i] -= factor * y[i];
}

void lattice_basis_free(lattice_basis *s) {
    base_free(s->b);
    base_free(s->star);
    base_free(s->mu);
    base_free(s->length2);
    base_free(s->change);
}

bool lattice_basis_create(lattice_basis *s, size_t d) {
    *s = (lattice_basis){.d = d,
                         .b = base_array(d * d, sizeof(double)),
                         .star = base_array(d * d, sizeof(double)),
                         .mu = base_array(d * d, sizeof(double)),
                         .length2 = base_array(d, sizeof(double)),
                         .change = base_array(d * d, sizeof(double))};
    return s->b != NULL && s->star != NULL && s->mu != NULL && s->length2 != NULL &&
           s->change != NULL;
}

/* Gram-Schmidt (modified) of vector j, those before it being done. */
static void orthogonalise(lattice_basis *s, size_t j) {
    const size_t d = s->d;
    double *star = s->star + j * d;
    memcpy(star, s->b + j * d, d * sizeof *star);
    for (size_t i = 0; i < j; i++) {
        const double mu = vector_dot(star, s->star + i * d, d) / s->length2[i];
        s->mu[j * d + i] = mu;
        subtract(star, mu, s->star + i * d, d);
    }
    s->length2[j] = vector_dot(star, star, d);
}

/* Takes from vector k whole multiples of those before it; true when any was taken. */
static bool shorten(lattice_basis *s, size_t k) {
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

static bool is_sound(const lattice_basis *s, size_t k) {
    bool sound = s->length2[k] > 0 && isfinite(s->length2[k]);
    for (size_t i = 0; i < k; i++)
        sound = sound && isfinite(s->mu[k * s->d + i]);
    return sound;
}

/* Sums are of floats: a vector is shortened until nothing more can be taken from it. False:
 * the vectors depend on one another as far as floats can tell. */
static bool settle(lattice_basis *s, size_t k) {
    orthogonalise(s, k);
    for (int round = 0; is_sound(s, k) && round < ROUNDS_MOST; round++) {
        if (!shorten(s, k))
            return true;
        orthogonalise(s, k);
    }
    return false;
}

static admmnn_status reduce(lattice_basis *s, const admmnn_context *context, admmnn_error *err) {
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

/* The lattice's vectors in the order they are reduced from. */
static void fill_basis(lattice_basis *s, const double *r, const admm_ladder *ladders) {
    const size_t d = s->d;
    for (size_t j = 0; j < d; j++) {
        for (size_t i = 0; i <= j; i++)
            s->b[j * d + i] = r[i * d + j] * ladders[j].spacing;
        s->change[j * d + j] = 1;
    }
}

/* Divides the basis by its largest entry, lest its squares leave floating point. */
static double scale_basis(lattice_basis *s) {
    double largest = 0;
    for (size_t i = 0; i < s->d * s->d; i++)
        largest = fmax(largest, fabs(s->b[i]));
    for (size_t i = 0; i < s->d * s->d; i++)
        s->b[i] /= largest;
    return largest;
}

admmnn_status lattice_basis_reduce(lattice_basis *s, const double *r, const admm_ladder *ladders,
                                   const admmnn_context *context, double *scale,
                                   admmnn_error *err) {
    fill_basis(s, r, ladders);
    *scale = scale_basis(s);
    return reduce(s, context, err);
}

void lattice_basis_triangle(const lattice_basis *s, const double *t, double scale, double *r,
                            double *target) {
    const size_t d = s->d;
    for (size_t i = 0; i < d; i++) {
        const double length = sqrt(s->length2[i]);
        target[i] = vector_dot(t, s->star + i * d, d) / length / scale;
        r[i * d + i] = length;
        for (size_t j = i + 1; j < d; j++)
            r[i * d + j] = s->mu[j * d + i] * length;
    }
}

void lattice_basis_change_back(const lattice_basis *s, const admm_ladder *ladders,
                               const double *multipliers, double *x) {
    const size_t d = s->d;
    for (size_t i = 0; i < d; i++) {
        double whole = 0;
        for (size_t j = 0; j < d; j++)
            whole += multipliers[j] * s->change[j * d + i];
        x[i] = whole * ladders[i].spacing;
    }
}
