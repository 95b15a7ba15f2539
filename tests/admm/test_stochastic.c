/* Functions that are others at every call: a run compares no two of their values, goes on to
 * its end, and answers with where it was then. */
#include "support.h"

#include "admmnn/solver.h"
#include "must.h"

#define D 4
#define ROWS 200
#define BATCH 8

static const admmnn_method methods[] = {ADMMNN_METHOD_ADMM_Q, ADMMNN_METHOD_ADMM_S,
                                        ADMMNN_METHOD_ADMM_R, ADMMNN_METHOD_PGD};
#define METHODS (sizeof methods / sizeof methods[0])

static admmnn_solver_settings settings_of(admmnn_method method, double rho, uint64_t iterations) {
    admmnn_solver_settings settings;
    admmnn_solver_defaults(method, &settings);
    settings.x_step = ADMMNN_X_STEP_GRADIENT;
    settings.gradient_steps = 1;
    settings.lipschitz = 10;
    settings.rho = rho;
    settings.iterations = iterations;
    settings.stochastic = true;
    return settings;
}

static admmnn_solver_info solve(const admmnn_problem *problem,
                                const admmnn_solver_settings *settings, double *x) {
    admmnn_solver *solver;
    admmnn_solver_info info;
    MUST(admmnn_solver_create(problem, settings, NULL, &solver, err));
    MUST(admmnn_solver_solve(solver, NULL, 0, NULL, x, &info, err));
    admmnn_solver_free(solver);
    return info;
}

/* ---- least squares by batches ---- */

typedef struct regression {
    double rows[ROWS][D], right[ROWS];
    base_random random;
    double last; /* the value that was drawn last */
} regression;

/* The mean of (row x - right)^2 / 2 over rows drawn anew. */
static double batch_loss(void *user, const double *x, double *gradient) {
    regression *r = user;
    double sum = 0;
    for (size_t i = 0; gradient != NULL && i < D; i++)
        gradient[i] = 0;
    for (size_t k = 0; k < BATCH; k++) {
        const size_t row = base_random_below(&r->random, ROWS);
        double gap = -r->right[row];
        for (size_t i = 0; i < D; i++)
            gap += r->rows[row][i] * x[i];
        sum += gap * gap / (2 * BATCH);
        for (size_t i = 0; gradient != NULL && i < D; i++)
            gradient[i] += gap * r->rows[row][i] / BATCH;
    }
    return r->last = sum;
}

static const double truth[D] = {3, -2, 0, 5};

static regression make_regression(void) {
    regression r = {.random = base_random_at(1, 0, 0)};
    for (size_t k = 0; k < ROWS; k++) {
        r.right[k] = 0.3 * (double)base_random_normal(&r.random);
        for (size_t i = 0; i < D; i++) {
            r.rows[k][i] = (double)base_random_normal(&r.random);
            r.right[k] += truth[i] * r.rows[k][i];
        }
    }
    return r;
}

static void batches_lead_to_the_truth(void **state) {
    (void)state;
    for (size_t m = 0; m < METHODS; m++) {
        regression r = make_regression();
        const admmnn_problem problem = {
            .dimension = D, .f = batch_loss, .user = &r, .set = "grid:1"};
        const admmnn_solver_settings settings = settings_of(methods[m], 2, 3000);
        double x[D];
        const admmnn_solver_info info = solve(&problem, &settings, x);
        for (size_t i = 0; i < D; i++)
            assert_true(x[i] == truth[i]);
        assert_int_equal(info.outcome, ADMMNN_OUTCOME_ITERATION_LIMIT);
        assert_int_equal(info.iterations, 3000);
        assert_true(info.objective == r.last);
        assert_int_equal(info.decreased, -1);
        assert_int_equal(info.stationary, -1);
        assert_int_equal(info.limit_stationary, -1);
    }
}

/* ---- a function that changes late ---- */

typedef struct turn {
    uint64_t calls, until; /* until: of the first function */
} turn;

/* A paraboloid about 2, with nothing below it, and then one about -3 that is higher. */
static double turns(void *user, const double *x, double *gradient) {
    turn *t = user;
    const bool late = t->calls++ >= t->until;
    const double middle = late ? -3 : 2;
    double sum = late ? 100 : 0;
    for (size_t i = 0; i < D; i++) {
        sum += (x[i] - middle) * (x[i] - middle) / 2;
        if (gradient != NULL)
            gradient[i] = x[i] - middle;
    }
    return sum;
}

/* Long after the iterates were the same from one iteration to the next. f is asked once for
 * each of them, and once for the answer. */
static void no_repetition_ends_a_run(void **state) {
    (void)state;
    for (size_t m = 0; m < METHODS; m++) {
        turn t = {.until = 4000};
        const admmnn_problem problem = {.dimension = D, .f = turns, .user = &t, .set = "grid:1"};
        admmnn_solver_settings settings = settings_of(methods[m], 1.5, 8000);
        double x[D];
        admmnn_solver_info info = solve(&problem, &settings, x);
        for (size_t i = 0; i < D; i++)
            assert_true(x[i] == -3);
        assert_true(info.objective == 100);
        assert_int_equal(info.iterations, 8000);
        assert_int_equal(t.calls, 8001);
        t.calls = 0;
        settings.stochastic = false; /* and would have ended this one */
        info = solve(&problem, &settings, x);
        for (size_t i = 0; i < D; i++)
            assert_true(x[i] == 2);
        assert_int_equal(info.outcome, ADMMNN_OUTCOME_REPEATS);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batches_lead_to_the_truth),
        cmocka_unit_test(no_repetition_ends_a_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
