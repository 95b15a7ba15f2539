#include "admm/quadratic.h"

#include <lapacke.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "admm/vector.h"
#include "base/context.h"
#include "base/memory.h"
#include "base/random.h"

/* Of the largest entry: what two entries that should be the same may differ by. */
#define SYMMETRY 1e-12
#define LANCZOS_MOST 100
/* Coordinates of a dense Q whose eigenvalues LAPACK is asked for: it takes d^3 and hears no
 * stop, half a minute at 3000. */
#define LAPACK_SPECTRUM_MOST 512
/* Products that conjugate gradients may take for one coordinate; they need one each in
 * exact arithmetic. */
#define CG_STEPS_A_COORDINATE 10
/* Coordinates stepped over by conjugate gradients between two questions whether to stop. */
#define PATIENCE ((size_t)1 << 16)

struct admm_quadratic {
    admmnn_matrix q;
    size_t d;
    bool shares; /* b and factor, which are another's */
    double *b;
    double rho;
    double *factor;     /* [d * d]: of Q + rho I; dense alone */
    double *r, *p, *qp; /* [d] of conjugate gradients */
};

/* ---- the matrix ---- */

static admmnn_status fail_entry(size_t i, size_t j, const char *what, admmnn_error *err) {
    return base_fail(err, ADMMNN_USAGE, "Q[%zu][%zu] %s", i, j, what);
}

static admmnn_status check_dense(const double *q, size_t d, admmnn_error *err) {
    double largest = 0;
    for (size_t i = 0; i < d * d; i++) {
        if (!isfinite(q[i]))
            return fail_entry(i / d, i % d, "is not finite", err);
        largest = fmax(largest, fabs(q[i]));
    }
    for (size_t i = 0; i < d; i++)
        for (size_t j = 0; j < i; j++)
            if (fabs(q[i * d + j] - q[j * d + i]) > SYMMETRY * largest)
                return base_fail(err, ADMMNN_USAGE,
                                 "Q is not symmetric: Q[%zu][%zu] is %.17g, Q[%zu][%zu] is %.17g",
                                 i, j, q[i * d + j], j, i, q[j * d + i]);
    return ADMMNN_OK;
}

/* The entry in row i and column j, 0 where there is none; columns of a row rise. */
static double entry_of(const admmnn_matrix *q, size_t i, size_t j) {
    size_t low = q->start[i];
    size_t high = q->start[i + 1];
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (q->column[middle] < j)
            low = middle + 1;
        else
            high = middle;
    }
    return low < q->start[i + 1] && q->column[low] == j ? q->value[low] : 0;
}

static admmnn_status check_row(const admmnn_matrix *q, size_t d, size_t i, double *largest,
                               admmnn_error *err) {
    if (q->start[i + 1] < q->start[i])
        return base_fail(err, ADMMNN_USAGE, "row %zu of Q ends before it starts", i);
    for (size_t k = q->start[i]; k < q->start[i + 1]; k++) {
        const size_t j = q->column[k];
        if (j >= d || (k > q->start[i] && j <= q->column[k - 1]))
            return fail_entry(i, j, j >= d ? "stands outside" : "does not rise in its row", err);
        if (!isfinite(q->value[k]))
            return fail_entry(i, j, "is not finite", err);
        *largest = fmax(*largest, fabs(q->value[k]));
    }
    return ADMMNN_OK;
}

static admmnn_status check_sparse(const admmnn_matrix *q, size_t d, admmnn_error *err) {
    double largest = 0;
    for (size_t i = 0; i < d; i++)
        BASE_TRY(check_row(q, d, i, &largest, err));
    for (size_t i = 0; i < d; i++)
        for (size_t k = q->start[i]; k < q->start[i + 1]; k++) {
            const size_t j = q->column[k];
            if (fabs(q->value[k] - entry_of(q, j, i)) > SYMMETRY * largest)
                return base_fail(err, ADMMNN_USAGE,
                                 "Q is not symmetric: Q[%zu][%zu] is %.17g, Q[%zu][%zu] is %.17g",
                                 i, j, q->value[k], j, i, entry_of(q, j, i));
        }
    return ADMMNN_OK;
}

static admmnn_status check(const admmnn_matrix *q, const double *b, size_t d, admmnn_error *err) {
    if (d == 0)
        return base_fail(err, ADMMNN_USAGE, "a problem of no coordinates");
    for (size_t i = 0; b != NULL && i < d; i++)
        if (!isfinite(b[i]))
            return base_fail(err, ADMMNN_USAGE, "b[%zu] is not finite", i);
    if (q->dense != NULL)
        return check_dense(q->dense, d, err);
    return q->start != NULL ? check_sparse(q, d, err) : ADMMNN_OK;
}

/* What solving writes to; false when memory is short. */
static bool make_vectors(admm_quadratic *f) {
    if (f->q.dense != NULL)
        return true;
    f->r = base_array(f->d, sizeof *f->r);
    f->p = base_array(f->d, sizeof *f->p);
    f->qp = base_array(f->d, sizeof *f->qp);
    return f->r != NULL && f->p != NULL && f->qp != NULL;
}

static bool make_own(admm_quadratic *f, const double *b) {
    size_t entries;
    f->b = base_array(f->d, sizeof *f->b);
    if (f->b != NULL && b != NULL)
        memcpy(f->b, b, f->d * sizeof *b);
    if (f->q.dense != NULL && base_multiply(f->d, f->d, &entries))
        f->factor = base_array(entries, sizeof *f->factor);
    return f->b != NULL && (f->q.dense == NULL || f->factor != NULL) && make_vectors(f);
}

static admmnn_status take(admm_quadratic *f, bool whole, admm_quadratic **out, admmnn_error *err) {
    if (whole) {
        *out = f;
        return ADMMNN_OK;
    }
    admm_quadratic_free(f);
    return base_fail_memory(err, "a quadratic");
}

admmnn_status admm_quadratic_create(const admmnn_matrix *q, const double *b, size_t d,
                                    admm_quadratic **out, admmnn_error *err) {
    BASE_TRY(check(q, b, d, err));
    admm_quadratic *f = base_array(1, sizeof *f);
    if (f == NULL)
        return base_fail_memory(err, "a quadratic");
    *f = (admm_quadratic){.q = *q, .d = d};
    return take(f, make_own(f, b), out, err);
}

admmnn_status admm_quadratic_share(const admm_quadratic *of, admm_quadratic **out,
                                   admmnn_error *err) {
    admm_quadratic *f = base_array(1, sizeof *f);
    if (f == NULL)
        return base_fail_memory(err, "a quadratic");
    *f = (admm_quadratic){
        .q = of->q, .d = of->d, .shares = true, .b = of->b, .rho = of->rho, .factor = of->factor};
    return take(f, make_vectors(f), out, err);
}

void admm_quadratic_free(admm_quadratic *f) {
    if (f == NULL)
        return;
    if (!f->shares) {
        base_free(f->b);
        base_free(f->factor);
    }
    base_free(f->r);
    base_free(f->p);
    base_free(f->qp);
    base_free(f);
}

admmnn_status admm_quadratic_product(const admm_quadratic *f, const double *x, double *y,
                                     admmnn_error *err) {
    const admmnn_matrix *q = &f->q;
    if (q->product != NULL)
        return q->product(q->user, x, y)
                   ? ADMMNN_OK
                   : base_fail(err, ADMMNN_DIVERGED, "the product with Q cannot be computed");
    for (size_t i = 0; i < f->d; i++) {
        if (q->dense != NULL) {
            y[i] = vector_dot(q->dense + i * f->d, x, f->d);
            continue;
        }
        y[i] = 0;
        for (size_t k = q->start[i]; k < q->start[i + 1]; k++)
            y[i] += q->value[k] * x[q->column[k]];
    }
    return ADMMNN_OK;
}

admmnn_status admm_quadratic_value(const admm_quadratic *f, const double *x, double *value,
                                   double *gradient, admmnn_error *err) {
    BASE_TRY(admm_quadratic_product(f, x, gradient, err));
    *value = 0.5 * vector_dot(gradient, x, f->d) + vector_dot(f->b, x, f->d);
    for (size_t i = 0; i < f->d; i++)
        gradient[i] += f->b[i];
    return ADMMNN_OK;
}

/* ---- LAPACK ---- */

/* Matrices here are symmetric, and rows of an upper triangle are the columns of a lower one:
 * LAPACK gets both as columns, which it does not copy. What it answers: above 0, what the
 * words say; below 0, that memory is short, since its arguments are sound. */
static admmnn_status check_lapack(lapack_int info, admmnn_status status, const char *words,
                                  admmnn_error *err) {
    if (info < 0)
        return base_fail_memory(err, "LAPACK");
    return info == 0 ? ADMMNN_OK : base_fail(err, status, "%s", words);
}

/* ---- the spectrum ---- */

static admmnn_status dense_spectrum(const admm_quadratic *f, double *smallest, double *largest,
                                    admmnn_error *err) {
    const size_t d = f->d;
    double *copy = base_array_copy(f->q.dense, d * d, sizeof *copy);
    double *values = base_array(d, sizeof *values);
    lapack_int info = LAPACK_WORK_MEMORY_ERROR;
    if (copy != NULL && values != NULL)
        info =
            LAPACKE_dsyev(LAPACK_COL_MAJOR, 'N', 'L', (lapack_int)d, copy, (lapack_int)d, values);
    if (info == 0) {
        *smallest = values[0];
        *largest = values[d - 1];
    }
    base_free(copy);
    base_free(values);
    return check_lapack(info, ADMMNN_DIVERGED, "Q's eigenvalues cannot be computed", err);
}

static admmnn_status go_on(const admmnn_context *context, admmnn_error *err) {
    return base_cancelled(context) ? base_fail(err, ADMMNN_CANCELLED, "stopped on request")
                                   : ADMMNN_OK;
}

/* Lanczos's method with every vector orthogonalised against all before it. */
typedef struct krylov {
    size_t d, most, count;
    double *basis;             /* [most][d] */
    double *diagonal, *beside; /* [most] of the projected matrix */
    double *w;                 /* [d] */
} krylov;

static void krylov_free(krylov *k) {
    base_free(k->basis);
    base_free(k->diagonal);
    base_free(k->beside);
    base_free(k->w);
}

static bool krylov_create(krylov *k, size_t d) {
    size_t floats;
    *k = (krylov){.d = d, .most = d < LANCZOS_MOST ? d : LANCZOS_MOST};
    if (!base_multiply(k->most, d, &floats))
        return false;
    k->basis = base_array(floats, sizeof *k->basis);
    k->diagonal = base_array(k->most, sizeof *k->diagonal);
    k->beside = base_array(k->most, sizeof *k->beside);
    k->w = base_array(d, sizeof *k->w);
    return k->basis != NULL && k->diagonal != NULL && k->beside != NULL && k->w != NULL;
}

static void begin(krylov *k) {
    base_random random = base_random_at(0x6c616e63U, 0, 0);
    for (size_t i = 0; i < k->d; i++)
        k->basis[i] = (double)base_random_normal(&random);
    const double length = sqrt(vector_dot(k->basis, k->basis, k->d));
    for (size_t i = 0; i < k->d; i++)
        k->basis[i] /= length;
}

/* w without its parts along the vectors so far, twice for the sake of rounding. */
static void orthogonalise(krylov *k) {
    for (int twice = 0; twice < 2; twice++)
        for (size_t j = 0; j <= k->count; j++) {
            const double *v = k->basis + j * k->d;
            const double part = vector_dot(k->w, v, k->d);
            for (size_t i = 0; i < k->d; i++)
                k->w[i] -= part * v[i];
        }
}

/* One more vector; false when the space is exhausted: what it shows is exact. */
static admmnn_status extend(const admm_quadratic *f, krylov *k, bool *more,
                            const admmnn_context *context, admmnn_error *err) {
    BASE_TRY(go_on(context, err));
    const double *v = k->basis + k->count * k->d;
    BASE_TRY(admm_quadratic_product(f, v, k->w, err));
    k->diagonal[k->count] = vector_dot(k->w, v, k->d);
    const double before = sqrt(vector_dot(k->w, k->w, k->d));
    orthogonalise(k);
    const double length = sqrt(vector_dot(k->w, k->w, k->d));
    if (!isfinite(before))
        return base_fail(err, ADMMNN_DIVERGED, "the product with Q is not finite");
    *more = k->count + 1 < k->most && length > 1e-13 * before;
    k->beside[k->count++] = length;
    for (size_t i = 0; *more && i < k->d; i++)
        k->basis[k->count * k->d + i] = k->w[i] / length;
    return ADMMNN_OK;
}

/* The eigenvalues of the projected matrix at its ends, and the larger of their residuals,
 * ||Q v - theta v|| = |beside s|, s the last component of its eigenvector. */
static admmnn_status ritz(const krylov *k, double *smallest, double *largest, double *residual,
                          admmnn_error *err) {
    const size_t n = k->count;
    double diagonal[LANCZOS_MOST];
    double beside[LANCZOS_MOST];
    double *vectors = base_array(n * n, sizeof *vectors);
    lapack_int info = LAPACK_WORK_MEMORY_ERROR;
    memcpy(diagonal, k->diagonal, n * sizeof *diagonal);
    memcpy(beside, k->beside, n * sizeof *beside);
    if (vectors != NULL)
        info = LAPACKE_dstev(LAPACK_COL_MAJOR, 'V', (lapack_int)n, diagonal, beside, vectors,
                             (lapack_int)n);
    if (info == 0) {
        *smallest = diagonal[0];
        *largest = diagonal[n - 1];
        *residual = k->beside[n - 1] * fmax(fabs(vectors[n - 1]), fabs(vectors[n * n - 1]));
    }
    base_free(vectors);
    return check_lapack(info, ADMMNN_DIVERGED, "Q's eigenvalues cannot be computed", err);
}

static admmnn_status krylov_spectrum(const admm_quadratic *f, krylov *k, double relative,
                                     double *smallest, double *largest, double *residual,
                                     const admmnn_context *context, admmnn_error *err) {
    bool more = true;
    begin(k);
    while (more) {
        BASE_TRY(extend(f, k, &more, context, err));
        BASE_TRY(ritz(k, smallest, largest, residual, err));
        if (*residual <= relative * fmax(fabs(*smallest), fabs(*largest)))
            break;
    }
    return ADMMNN_OK;
}

admmnn_status admm_quadratic_spectrum(const admm_quadratic *f, double relative, double *smallest,
                                      double *largest, double *residual,
                                      const admmnn_context *context, admmnn_error *err) {
    *residual = 0;
    if (f->q.dense != NULL && f->d <= LAPACK_SPECTRUM_MOST)
        return dense_spectrum(f, smallest, largest, err);
    krylov k;
    admmnn_status status =
        krylov_create(&k, f->d)
            ? krylov_spectrum(f, &k, relative, smallest, largest, residual, context, err)
            : base_fail_memory(err, "Q's eigenvalues");
    krylov_free(&k);
    return status;
}

/* ---- (Q + rho I) x = y ---- */

admmnn_status admm_quadratic_shift(admm_quadratic *f, double rho, admmnn_error *err) {
    if (!isfinite(rho))
        return base_fail(err, ADMMNN_USAGE, "rho is not finite");
    f->rho = rho;
    if (f->q.dense == NULL)
        return ADMMNN_OK;
    const size_t d = f->d;
    memcpy(f->factor, f->q.dense, d * d * sizeof *f->factor);
    for (size_t i = 0; i < d; i++)
        f->factor[i * d + i] += rho;
    char words[96];
    snprintf(words, sizeof words,
             rho == 0 ? "Q is not positive definite"
                      : "Q + %g I is not positive definite; a larger rho is needed",
             rho);
    return check_lapack(
        LAPACKE_dpotrf(LAPACK_COL_MAJOR, 'L', (lapack_int)d, f->factor, (lapack_int)d),
        ADMMNN_USAGE, words, err);
}

admmnn_status admm_quadratic_triangle(const admm_quadratic *f, double *r, double *t,
                                      admmnn_error *err) {
    const size_t d = f->d;
    memcpy(r, f->q.dense, d * d * sizeof *r);
    BASE_TRY(check_lapack(LAPACKE_dpotrf(LAPACK_COL_MAJOR, 'L', (lapack_int)d, r, (lapack_int)d),
                          ADMMNN_USAGE, "Q is not positive definite", err));
    for (size_t i = 0; i < d; i++)
        for (size_t j = 0; j < i; j++)
            r[i * d + j] = 0;
    for (size_t i = 0; i < d; i++)
        t[i] = -f->b[i];
    return check_lapack(LAPACKE_dtrtrs(LAPACK_COL_MAJOR, 'L', 'N', 'N', (lapack_int)d, 1, r,
                                       (lapack_int)d, t, (lapack_int)d),
                        ADMMNN_USAGE, "Q is singular", err);
}

/* Conjugate gradients (Hestenes and Stiefel 1952). */
static admmnn_status solve_by_products(admm_quadratic *f, const double *y, double tolerance,
                                       double *x, const admmnn_context *context,
                                       admmnn_error *err) {
    const size_t d = f->d;
    const size_t patience = 1 + PATIENCE / d;
    const double wanted = tolerance * sqrt(vector_dot(y, y, d));
    if (wanted == 0) {
        memset(x, 0, d * sizeof *x);
        return ADMMNN_OK;
    }
    BASE_TRY(admm_quadratic_product(f, x, f->qp, err));
    for (size_t i = 0; i < d; i++)
        f->r[i] = f->p[i] = y[i] - f->qp[i] - f->rho * x[i];
    double left = vector_dot(f->r, f->r, d);
    for (size_t step = 0; sqrt(left) > wanted && step < CG_STEPS_A_COORDINATE * d; step++) {
        if (step % patience == 0)
            BASE_TRY(go_on(context, err));
        BASE_TRY(admm_quadratic_product(f, f->p, f->qp, err));
        const double curvature = vector_dot(f->p, f->qp, d) + f->rho * vector_dot(f->p, f->p, d);
        if (curvature < 0)
            return base_fail(err, ADMMNN_USAGE, "Q + %g I is not positive definite", f->rho);
        if (!(curvature > 0)) /* no longer told from 0, or not a number */
            break;
        const double stride = left / curvature;
        for (size_t i = 0; i < d; i++) {
            x[i] += stride * f->p[i];
            f->r[i] -= stride * (f->qp[i] + f->rho * f->p[i]);
        }
        const double next = vector_dot(f->r, f->r, d);
        for (size_t i = 0; i < d; i++)
            f->p[i] = f->r[i] + next / left * f->p[i];
        left = next;
    }
    return sqrt(left) <= wanted ? ADMMNN_OK
                                : base_fail(err, ADMMNN_DIVERGED,
                                            "conjugate gradients do not reach %g; a larger "
                                            "tolerance or rho is needed",
                                            tolerance);
}

admmnn_status admm_quadratic_solve(admm_quadratic *f, const double *y, double tolerance, double *x,
                                   const admmnn_context *context, admmnn_error *err) {
    if (f->q.dense == NULL)
        return solve_by_products(f, y, tolerance, x, context, err);
    memcpy(x, y, f->d * sizeof *x);
    return check_lapack(LAPACKE_dpotrs(LAPACK_COL_MAJOR, 'L', (lapack_int)f->d, 1, f->factor,
                                       (lapack_int)f->d, x, (lapack_int)f->d),
                        ADMMNN_DIVERGED, "(Q + rho I) x = y cannot be solved", err);
}
