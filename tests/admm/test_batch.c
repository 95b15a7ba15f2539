/* Runs side by side against the solver's runs one by one, with every instruction set that
 * this processor has. */
#include "support.h"

#include "admm/batch.h"
#include "admmnn/solver.h"
#include "must.h"
#include "quadratic.h"

#define D 10
#define RUNS 40
#define SPACING 2.0
#define LAST 50

static const size_t widths[] = {2, 4, 8};

typedef struct fixture {
    double q[D * D], b[D], starts[RUNS][D];
} fixture;

static double draw(base_random *random) {
    return (double)base_random_normal(random);
}

static fixture make(uint64_t seed) {
    fixture f;
    base_random random = base_random_at(seed, 0, 0);
    double g[D * D];
    quadratic_draw(&random, D, g, f.q, f.b);
    for (size_t r = 0; r < RUNS; r++)
        for (size_t i = 0; i < D; i++)
            f.starts[r][i] = 10 * draw(&random);
    return f;
}

static batch_problem problem_of(const fixture *f, batch_method method, double rho) {
    return (batch_problem){.d = D,
                           .q = f->q,
                           .b = f->b,
                           .spacing = SPACING,
                           .rho = rho,
                           .method = method,
                           .iterations = 1000,
                           .last = LAST};
}

static void fill_runs(const fixture *f, batch_run *runs, double beta) {
    for (size_t r = 0; r < RUNS; r++)
        runs[r] = (batch_run){.start = f->starts[r], .beta = beta, .probability = 0.5, .seed = r};
}

static double solve_alone(const fixture *f, const batch_problem *p, const batch_run *run) {
    const admmnn_matrix q = {.dense = f->q};
    const admmnn_problem problem = {.dimension = D, .q = &q, .b = f->b, .set = "grid:2"};
    admmnn_solver_settings settings;
    admmnn_solver *solver;
    admmnn_solver_info info;
    double x[D];
    admmnn_solver_defaults(p->method == BATCH_SOFT      ? ADMMNN_METHOD_ADMM_S
                           : p->method == BATCH_DESCENT ? ADMMNN_METHOD_GD_ROUND
                                                        : ADMMNN_METHOD_PGD,
                           &settings);
    settings.rho = p->rho;
    settings.beta = run->beta;
    settings.iterations = p->iterations;
    settings.last = LAST;
    MUST(admmnn_solver_create(&problem, &settings, NULL, &solver, err));
    MUST(admmnn_solver_solve(solver, run->start, 0, NULL, x, &info, err));
    admmnn_solver_free(solver);
    return info.objective;
}

static void agree(const fixture *f, const batch_problem *p, double beta, uint64_t *stopped) {
    batch_run runs[RUNS];
    double alone[RUNS];
    fill_runs(f, runs, beta);
    for (size_t r = 0; r < RUNS; r++)
        alone[r] = solve_alone(f, p, &runs[r]);
    for (size_t w = 0; w < sizeof widths / sizeof widths[0]; w++) {
        const batch_kernels *kernels = batch_kernels_get(widths[w]);
        if (kernels == NULL)
            continue;
        fill_runs(f, runs, beta);
        MUST(batch_solve(p, kernels, NULL, runs, RUNS, err));
        for (size_t r = 0; r < RUNS; r++) {
            assert_true(fabs(runs[r].value - alone[r]) <= 1e-9 * (1 + fabs(alone[r])));
            *stopped += runs[r].iterations < p->iterations;
        }
    }
}

/* Where runs settle, and are not at the mercy of rounding. */
static void lanes_are_the_solver(void **state) {
    (void)state;
    uint64_t stopped = 0;
    for (uint64_t seed = 0; seed < 4; seed++) {
        const fixture f = make(seed);
        batch_problem p = problem_of(&f, BATCH_SOFT, 150);
        agree(&f, &p, INFINITY, &stopped);
        agree(&f, &p, 40, &stopped);
        p = problem_of(&f, BATCH_GRADIENT, 150);
        agree(&f, &p, INFINITY, &stopped);
        p.method = BATCH_DESCENT;
        agree(&f, &p, INFINITY, &stopped);
    }
    assert_true(stopped > RUNS);
}

/* The one of some iterations more, for every phase of a round. */
static void stopping_early_changes_nothing(void **state) {
    (void)state;
    const fixture f = make(7);
    uint64_t stopped = 0;
    for (uint64_t more = 0; more < 8; more++) {
        batch_problem p = problem_of(&f, BATCH_SOFT, 150);
        p.iterations = 3000 + more;
        agree(&f, &p, INFINITY, &stopped);
    }
    assert_true(stopped > 0);
}

static void randomised_runs_are_what_they_say(void **state) {
    (void)state;
    const fixture f = make(3);
    const batch_problem soft = problem_of(&f, BATCH_SOFT, 60);
    const batch_problem randomised = problem_of(&f, BATCH_RANDOMISED, 60);
    batch_run certain[RUNS];
    batch_run usual[RUNS];
    batch_run again[RUNS];
    fill_runs(&f, certain, INFINITY);
    fill_runs(&f, usual, INFINITY);
    for (size_t r = 0; r < RUNS; r++)
        certain[r].probability = 1;
    MUST(batch_solve(&randomised, NULL, NULL, certain, RUNS, err));
    MUST(batch_solve(&soft, NULL, NULL, usual, RUNS, err));
    for (size_t r = 0; r < RUNS; r++)
        assert_true(certain[r].value == usual[r].value);
    /* The same seed, the same run, whatever lane it has; another seed, another run. */
    fill_runs(&f, usual, INFINITY);
    MUST(batch_solve(&randomised, NULL, NULL, usual, RUNS, err));
    size_t differ = 0;
    fill_runs(&f, again, INFINITY);
    MUST(batch_solve(&randomised, NULL, NULL, again + 3, RUNS - 3, err));
    for (size_t r = 3; r < RUNS; r++)
        assert_true(again[r].value == usual[r].value && again[r].iterations == usual[r].iterations);
    for (size_t r = 0; r < RUNS; r++)
        again[r].seed += RUNS;
    MUST(batch_solve(&randomised, NULL, NULL, again, RUNS, err));
    for (size_t r = 0; r < RUNS; r++)
        differ += again[r].value != usual[r].value || again[r].iterations != usual[r].iterations;
    assert_true(differ > RUNS / 4);
}

/* Of 4 * 10 * 64 draws a tenth, and not nine tenths, renew a coordinate of y. */
static void the_probability_is_that_of_a_renewal(void **state) {
    (void)state;
    for (size_t w = 0; w < sizeof widths / sizeof widths[0]; w++) {
        const batch_kernels *kernels = batch_kernels_get(widths[w]);
        if (kernels == NULL)
            continue;
        const size_t width = kernels->width;
        const size_t count = D * width;
        double *columns = base_array(5 * 16 * width, sizeof *columns);
        uint64_t *draws = base_array(3 * width, sizeof *draws);
        double *zeros = base_array(16 * 16 + 16, sizeof *zeros);
        const batch_system s = {.d = D,
                                .padded = D + (kernels->tile - D % kernels->tile) % kernels->tile,
                                .matrix = zeros,
                                .offset = zeros,
                                .spacing = 1,
                                .inverse_spacing = 1};
        batch_block b = {.x = columns,
                         .u = columns + 16 * width,
                         .y = columns + 2 * 16 * width,
                         .projected = columns + 3 * 16 * width,
                         .right = columns + 4 * 16 * width,
                         .threshold = draws,
                         .random = {draws + width, draws + 2 * width}};
        size_t renewed = 0;
        for (size_t l = 0; l < width; l++) {
            base_random random = base_random_at(l, 0, 0);
            b.threshold[l] = (uint64_t)(0.1 * 0x1p32);
            b.random[0][l] = base_random_next(&random);
            b.random[1][l] = base_random_next(&random);
        }
        for (int round = 0; round < 64; round++) {
            for (size_t i = 0; i < count; i++) {
                b.x[i] = 5;
                b.u[i] = 0;
                b.y[i] = 2;
            }
            kernels->randomised(&s, &b);
            for (size_t i = 0; i < count; i++)
                renewed += b.y[i] == 5;
        }
        const double share = (double)renewed / (64.0 * (double)count);
        assert_true(share > 0.07 && share < 0.13);
        base_free(columns);
        base_free(draws);
        base_free(zeros);
    }
}

static void divergence_costs_no_other_run(void **state) {
    (void)state;
    const fixture f = make(5);
    const batch_problem p = problem_of(&f, BATCH_GRADIENT, 0.1);
    batch_run runs[RUNS];
    fill_runs(&f, runs, INFINITY);
    MUST(batch_solve(&p, NULL, NULL, runs, RUNS, err));
    for (size_t r = 0; r < RUNS; r++)
        assert_true(runs[r].value == INFINITY && runs[r].iterations < p.iterations);
    fixture bad = f;
    admmnn_error err;
    bad.q[0] = -1e6;
    const batch_problem indefinite = problem_of(&bad, BATCH_SOFT, 1);
    assert_int_equal(batch_solve(&indefinite, NULL, NULL, runs, RUNS, &err), ADMMNN_USAGE);
}

/* Products overflow some iterations before x does, and to both infinities. */
static void no_value_is_below_every_value(void **state) {
    (void)state;
    const fixture f = make(5);
    size_t diverged = 0;
    for (uint64_t iterations = 1000; iterations < 6000; iterations += 100) {
        batch_run runs[RUNS];
        batch_problem p = problem_of(&f, BATCH_RANDOMISED, 0.01);
        p.iterations = iterations;
        fill_runs(&f, runs, INFINITY);
        for (size_t r = 0; r < RUNS; r++)
            runs[r].probability = 0.1;
        MUST(batch_solve(&p, NULL, NULL, runs, RUNS, err));
        for (size_t r = 0; r < RUNS; r++) {
            assert_true(runs[r].value > -1e6);
            diverged += runs[r].value > 1e200;
        }
    }
    assert_true(diverged > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lanes_are_the_solver),
        cmocka_unit_test(stopping_early_changes_nothing),
        cmocka_unit_test(randomised_runs_are_what_they_say),
        cmocka_unit_test(the_probability_is_that_of_a_renewal),
        cmocka_unit_test(divergence_costs_no_other_run),
        cmocka_unit_test(no_value_is_below_every_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
