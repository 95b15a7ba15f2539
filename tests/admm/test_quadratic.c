/* Quadratics: the three forms of a matrix against one another, eigenvalues and solutions
 * against their definitions. */
#include "support.h"

#include "admm/quadratic.h"
#include "must.h"

#define D 24
#define CLOSE 1e-9

typedef struct fixture {
    double dense[D * D], b[D];
    size_t start[D + 1];
    uint32_t column[D * D];
    double value[D * D];
    bool fails;
    admm_quadratic *forms[3]; /* dense, sparse, by products */
} fixture;

static double draw(base_random *random) {
    return (double)base_random_normal(random);
}

static bool multiply(void *user, const double *x, double *y) {
    const fixture *f = user;
    for (size_t i = 0; i < D; i++) {
        y[i] = 0;
        for (size_t j = 0; j < D; j++)
            y[i] += f->dense[i * D + j] * x[j];
    }
    return !f->fails;
}

/* A symmetric matrix, a third of it not zero, with eigenvalues of both signs. */
static void fill(fixture *f) {
    base_random random = base_random_at(11, 0, 0);
    for (size_t i = 0; i < D; i++) {
        f->b[i] = draw(&random);
        for (size_t j = 0; j <= i; j++) {
            const bool kept = i == j || base_random_below(&random, 3) == 0;
            f->dense[i * D + j] = f->dense[j * D + i] = kept ? draw(&random) : 0;
        }
    }
    size_t count = 0;
    for (size_t i = 0; i < D; i++) {
        for (size_t j = 0; j < D; j++)
            if (f->dense[i * D + j] != 0) {
                f->column[count] = (uint32_t)j;
                f->value[count++] = f->dense[i * D + j];
            }
        f->start[i + 1] = count;
    }
}

static int setup(void **state) {
    fixture *f = base_array(1, sizeof *f);
    assert_non_null(f);
    fill(f);
    const admmnn_matrix forms[] = {{.dense = f->dense},
                                   {.start = f->start, .column = f->column, .value = f->value},
                                   {.product = multiply, .user = f}};
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(admm_quadratic_create(&forms[i], f->b, D, &f->forms[i], NULL), ADMMNN_OK);
    *state = f;
    return 0;
}

static int teardown(void **state) {
    fixture *f = *state;
    for (size_t i = 0; i < 3; i++)
        admm_quadratic_free(f->forms[i]);
    base_free(f);
    return 0;
}

/* The gradient against difference quotients, and the forms against one another. */
static void values_and_gradients_agree(void **state) {
    const fixture *f = *state;
    base_random random = base_random_at(12, 0, 0);
    double x[D];
    for (size_t i = 0; i < D; i++)
        x[i] = draw(&random);
    double value[3];
    double gradient[3][D];
    for (size_t k = 0; k < 3; k++)
        assert_int_equal(admm_quadratic_value(f->forms[k], x, &value[k], gradient[k], NULL),
                         ADMMNN_OK);
    for (size_t i = 0; i < D; i++) {
        double sides[2];
        double unused[D];
        const double kept = x[i];
        x[i] = kept + 1e-4;
        admm_quadratic_value(f->forms[0], x, &sides[1], unused, NULL);
        x[i] = kept - 1e-4;
        admm_quadratic_value(f->forms[0], x, &sides[0], unused, NULL);
        x[i] = kept;
        assert_true(fabs((sides[1] - sides[0]) / 2e-4 - gradient[0][i]) < 1e-7);
    }
    for (size_t k = 1; k < 3; k++) {
        assert_true(fabs(value[k] - value[0]) < CLOSE);
        for (size_t i = 0; i < D; i++)
            assert_true(fabs(gradient[k][i] - gradient[0][i]) < CLOSE);
    }
}

/* det(Q - s I) changes sign at an eigenvalue: here, Q - s I is definite on one side. */
static void the_spectrum_ends_where_q_becomes_definite(void **state) {
    fixture *f = *state;
    double smallest[3];
    double largest[3];
    double residual;
    for (size_t k = 0; k < 3; k++)
        assert_int_equal(admm_quadratic_spectrum(f->forms[k], 1e-9, &smallest[k], &largest[k],
                                                 &residual, NULL, NULL),
                         ADMMNN_OK);
    assert_int_equal(admm_quadratic_shift(f->forms[0], -smallest[0] + 1e-6, NULL), ADMMNN_OK);
    assert_int_equal(admm_quadratic_shift(f->forms[0], -smallest[0] - 1e-6, NULL), ADMMNN_USAGE);
    for (size_t k = 1; k < 3; k++)
        assert_true(fabs(largest[k] - largest[0]) < 1e-7 * fabs(largest[0]));
}

static void shifted_systems_are_solved(void **state) {
    fixture *f = *state;
    double smallest;
    double largest;
    double residual;
    admm_quadratic_spectrum(f->forms[0], 1e-9, &smallest, &largest, &residual, NULL, NULL);
    const double rho = 0.5 - smallest;
    for (size_t k = 0; k < 3; k++) {
        double x[D] = {0};
        double y[D];
        assert_int_equal(admm_quadratic_shift(f->forms[k], rho, NULL), ADMMNN_OK);
        assert_int_equal(admm_quadratic_solve(f->forms[k], f->b, 1e-12, x, NULL, NULL), ADMMNN_OK);
        assert_int_equal(admm_quadratic_product(f->forms[k], x, y, NULL), ADMMNN_OK);
        for (size_t i = 0; i < D; i++)
            assert_true(fabs(y[i] + rho * x[i] - f->b[i]) < CLOSE);
    }
}

static void what_is_no_quadratic_is_refused(void **state) {
    fixture *f = *state;
    admm_quadratic *q;
    admmnn_error err = {0};
    f->dense[3] += 1;
    assert_int_equal(admm_quadratic_create(&(admmnn_matrix){.dense = f->dense}, NULL, D, &q, &err),
                     ADMMNN_USAGE);
    assert_non_null(strstr(err.message, "Q is not symmetric: Q[3][0] is "));
    f->dense[3] = NAN;
    assert_int_equal(admm_quadratic_create(&(admmnn_matrix){.dense = f->dense}, NULL, D, &q, &err),
                     ADMMNN_USAGE);
    assert_string_equal(err.message, "Q[0][3] is not finite");
    const admmnn_matrix sparse = {.start = f->start, .column = f->column, .value = f->value};
    f->value[1] += 1;
    assert_int_equal(admm_quadratic_create(&sparse, NULL, D, &q, &err), ADMMNN_USAGE);
    assert_non_null(strstr(err.message, "Q is not symmetric"));
    f->column[0] = D;
    assert_int_equal(admm_quadratic_create(&sparse, NULL, D, &q, &err), ADMMNN_USAGE);
    assert_string_equal(err.message, "Q[0][24] stands outside");
    f->b[2] = INFINITY;
    assert_int_equal(admm_quadratic_create(&sparse, f->b, D, &q, &err), ADMMNN_USAGE);
    assert_string_equal(err.message, "b[2] is not finite");
    f->fails = true;
    double x[D] = {0};
    assert_int_equal(admm_quadratic_product(f->forms[2], x, x, &err), ADMMNN_DIVERGED);
}

/* Not positive definite: found by conjugate gradients too. */
static void an_indefinite_system_is_refused(void **state) {
    fixture *f = *state;
    for (size_t k = 1; k < 3; k++) {
        double x[D] = {0};
        assert_int_equal(admm_quadratic_shift(f->forms[k], 0, NULL), ADMMNN_OK);
        assert_int_equal(admm_quadratic_solve(f->forms[k], f->b, 1e-10, x, NULL, NULL),
                         ADMMNN_USAGE);
    }
}

#define MANY 300

/* 11 stands apart, which Lanczos finds at once; -12, the largest by size, ends a dense
 * part, as the smallest does that decides whether rho suffices. */
static void both_ends_of_a_sparse_spectrum_are_found(void **state) {
    (void)state;
    size_t start[MANY + 1];
    uint32_t column[MANY];
    double value[MANY];
    for (size_t i = 0; i < MANY; i++) {
        start[i] = i;
        column[i] = (uint32_t)i;
        value[i] = i == 0 ? 11 : -12 + 17 * (double)(i - 1) / (MANY - 2);
    }
    start[MANY] = MANY;
    const admmnn_matrix q = {.start = start, .column = column, .value = value};
    admm_quadratic *f;
    double smallest;
    double largest;
    double residual;
    MUST(admm_quadratic_create(&q, NULL, MANY, &f, err));
    MUST(admm_quadratic_spectrum(f, 1e-6, &smallest, &largest, &residual, NULL, err));
    admm_quadratic_free(f);
    assert_true(fabs(smallest + 12) <= residual + 1e-9 && fabs(largest - 11) <= residual + 1e-9);
    assert_true(residual < 0.1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ends_of_a_sparse_spectrum_are_found),
        cmocka_unit_test_setup_teardown(values_and_gradients_agree, setup, teardown),
        cmocka_unit_test_setup_teardown(the_spectrum_ends_where_q_becomes_definite, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(shifted_systems_are_solved, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_no_quadratic_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(an_indefinite_system_is_refused, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
