/* The solver: against a plain transcription of the papers' steps, against the optimum,
 * and in what it says of its runs. */
#include "support.h"

#include "admmnn/solver.h"
#include "must.h"
#include "quadratic.h"

#define D 8
#define SPACING 8.0
#define ITERATIONS 400
#define LAST 50

typedef struct quadratic {
    double q[D * D], b[D], start[D];
} quadratic;

static double draw(base_random *random) {
    return (double)base_random_normal(random);
}

/* Q = G'G + v^2 qq', the ill-conditioned problems of Huang et al. (2020). */
static quadratic make(uint64_t seed, double v) {
    base_random random = base_random_at(seed, 0, 0);
    quadratic p;
    double g[D][D];
    double direction[D];
    for (size_t i = 0; i < D; i++) {
        direction[i] = draw(&random);
        p.b[i] = 20 * draw(&random);
        p.start[i] = 10 * draw(&random);
        for (size_t j = 0; j < D; j++)
            g[i][j] = draw(&random);
    }
    for (size_t i = 0; i < D; i++)
        for (size_t j = 0; j < D; j++) {
            p.q[i * D + j] = v * v * direction[i] * direction[j];
            for (size_t k = 0; k < D; k++)
                p.q[i * D + j] += g[k][i] * g[k][j];
        }
    return p;
}

static double value_of(const quadratic *p, const double *x) {
    return quadratic_value(p->q, p->b, D, x);
}

static double function_of(void *user, const double *x, double *gradient) {
    const quadratic *p = user;
    for (size_t i = 0; gradient != NULL && i < D; i++) {
        gradient[i] = p->b[i];
        for (size_t j = 0; j < D; j++)
            gradient[i] += p->q[i * D + j] * x[j];
    }
    return value_of(p, x);
}

/* x = (Q + rho I)^-1 right, by Gauss and Jordan's elimination. */
static void eliminate(const quadratic *p, double rho, const double *right, double *x) {
    double m[D][D + 1];
    for (size_t i = 0; i < D; i++) {
        for (size_t j = 0; j < D; j++)
            m[i][j] = p->q[i * D + j] + (i == j ? rho : 0);
        m[i][D] = right[i];
    }
    for (size_t k = 0; k < D; k++)
        for (size_t i = 0; i < D; i++) {
            const double factor = m[i][k] / m[k][k];
            for (size_t j = 0; i != k && j <= D; j++)
                m[i][j] -= factor * m[k][j];
        }
    for (size_t i = 0; i < D; i++)
        x[i] = m[i][D] / m[i][i];
}

static double nearest(double v) {
    return SPACING * ceil(v / SPACING - 0.5);
}

/* The best of the last iterates, every iteration done, as the paper writes them; beta
 * infinite: ADMM-Q. */
static double transcribed(const quadratic *p, double rho, double beta, int iterations) {
    double x[D];
    double y[D];
    double l[D] = {0};
    double best = INFINITY;
    memcpy(x, p->start, sizeof x);
    for (int k = 0; k < iterations; k++) {
        double z[D];
        double hard[D];
        double right[D];
        double distance = 0;
        for (size_t i = 0; i < D; i++) {
            z[i] = x[i] + l[i] / rho;
            hard[i] = nearest(z[i]);
            distance += (z[i] - hard[i]) * (z[i] - hard[i]);
        }
        distance = sqrt(distance);
        for (size_t i = 0; i < D; i++) {
            y[i] =
                distance <= beta / rho ? hard[i] : z[i] + beta / rho * (hard[i] - z[i]) / distance;
            right[i] = rho * y[i] - p->b[i] - l[i];
        }
        eliminate(p, rho, right, x);
        for (size_t i = 0; i < D; i++)
            l[i] += rho * (x[i] - y[i]);
        if (k >= iterations - LAST)
            best = fmin(best, value_of(p, hard));
    }
    return best;
}

static admmnn_solver_settings settings_of(admmnn_method method) {
    admmnn_solver_settings settings;
    admmnn_solver_defaults(method, &settings);
    settings.rho_relative = 0.1;
    settings.iterations = ITERATIONS;
    settings.last = LAST;
    return settings;
}

static admmnn_solver_info solve(const quadratic *p, const admmnn_solver_settings *settings,
                                double *x) {
    const admmnn_matrix q = {.dense = p->q};
    const admmnn_problem problem = {.dimension = D, .q = &q, .b = p->b, .set = "grid:8"};
    admmnn_solver *solver;
    admmnn_solver_info info;
    MUST(admmnn_solver_create(&problem, settings, NULL, &solver, err));
    MUST(admmnn_solver_solve(solver, p->start, 0, NULL, x, &info, err));
    admmnn_solver_free(solver);
    for (size_t i = 0; i < D; i++)
        assert_true(x[i] == nearest(x[i]));
    assert_true(fabs(info.objective - value_of(p, x)) <= 1e-9 * fabs(info.objective));
    return info;
}

static void follows_the_paper(void **state) {
    (void)state;
    double x[D];
    for (uint64_t seed = 0; seed < 12; seed++) {
        const quadratic p = make(seed, seed % 3 == 0 ? 10 : 1);
        admmnn_solver_settings settings = settings_of(ADMMNN_METHOD_ADMM_Q);
        for (double rho = 3; rho < 3000; rho *= 10) {
            settings.rho = rho;
            settings.method = ADMMNN_METHOD_ADMM_Q;
            const double hard = solve(&p, &settings, x).objective;
            assert_true(fabs(hard - transcribed(&p, rho, INFINITY, ITERATIONS)) < 1e-7);
            settings.method = ADMMNN_METHOD_ADMM_S;
            settings.beta = 10;
            const double soft = solve(&p, &settings, x).objective;
            assert_true(fabs(soft - transcribed(&p, rho, 10, ITERATIONS)) < 1e-7);
        }
    }
}

/* ADMM-R, every iteration done, with the draws that the solver names. */
static double transcribed_randomly(const quadratic *p, double rho, double probability,
                                   uint64_t seed, int iterations) {
    double x[D];
    double y[D];
    double l[D] = {0};
    double best = INFINITY;
    base_random random = base_random_at(seed, 0x61646d6dU, 0);
    memcpy(x, p->start, sizeof x);
    for (size_t i = 0; i < D; i++)
        y[i] = nearest(x[i]);
    for (int k = 0; k < iterations; k++) {
        double right[D];
        for (size_t i = 0; i < D; i++) {
            const double hard = nearest(x[i] + l[i] / rho);
            if ((double)base_random_uniform(&random) < probability)
                y[i] = hard;
            right[i] = rho * y[i] - p->b[i] - l[i];
        }
        eliminate(p, rho, right, x);
        for (size_t i = 0; i < D; i++)
            l[i] += rho * (x[i] - y[i]);
        if (k >= iterations - LAST)
            best = fmin(best, value_of(p, y));
    }
    return best;
}

/* Where it settles too: no draw that would have changed y is left out. */
static void random_runs_follow_the_paper(void **state) {
    (void)state;
    double x[D];
    uint64_t stopped = 0;
    for (uint64_t seed = 0; seed < 12; seed++)
        for (int rare = 0; rare < 2; rare++) {
            const quadratic p = make(seed, 2);
            admmnn_solver_settings settings = settings_of(ADMMNN_METHOD_ADMM_R);
            settings.rho = 60;
            settings.seed = seed;
            settings.probability = rare ? 0.1 : 0.9;
            settings.iterations = 1500;
            const admmnn_solver_info info = solve(&p, &settings, x);
            stopped += info.iterations < settings.iterations;
            assert_true(fabs(info.objective - transcribed_randomly(&p, 60, settings.probability,
                                                                   seed, 1500)) < 1e-7);
        }
    assert_true(stopped > 6);
}

static void variants_meet(void **state) {
    (void)state;
    const quadratic p = make(3, 2);
    admmnn_solver_settings settings = settings_of(ADMMNN_METHOD_ADMM_Q);
    double x[3][D];
    const admmnn_solver_info q = solve(&p, &settings, x[0]);
    settings.method = ADMMNN_METHOD_ADMM_S;
    settings.beta = INFINITY;
    const admmnn_solver_info s = solve(&p, &settings, x[1]);
    settings.method = ADMMNN_METHOD_ADMM_R;
    settings.probability = 1;
    const admmnn_solver_info r = solve(&p, &settings, x[2]);
    assert_memory_equal(x[0], x[1], sizeof x[0]);
    assert_memory_equal(x[0], x[2], sizeof x[0]);
    assert_true(q.iterations == s.iterations && q.iterations == r.iterations);
}

/* Stopped where it repeats, a run has the answer of one that went on. */
static void stopping_early_changes_nothing(void **state) {
    (void)state;
    double x[D];
    uint64_t stopped = 0;
    for (uint64_t seed = 0; seed < 12; seed++) {
        const quadratic p = make(seed, 10);
        admmnn_solver_settings settings = settings_of(ADMMNN_METHOD_ADMM_Q);
        for (uint64_t most = 5000; most < 5007; most++) {
            settings.iterations = most;
            settings.rho = seed % 2 == 0 ? 1000 : 30;
            const admmnn_solver_info info = solve(&p, &settings, x);
            stopped += info.iterations < most;
            assert_true(fabs(info.objective - transcribed(&p, settings.rho, INFINITY, (int)most)) <
                        1e-7);
        }
    }
    assert_true(stopped > 20);
}

/* No method goes below the optimum, which is that of all points around it. */
static void none_beats_the_exact(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 8; seed++) {
        const quadratic p = make(seed, 10);
        double x[D];
        admmnn_solver_settings settings = settings_of(ADMMNN_METHOD_EXACT);
        const admmnn_solver_info exact = solve(&p, &settings, x);
        assert_int_equal(exact.outcome, ADMMNN_OUTCOME_OPTIMAL);
        for (size_t i = 0; i < 6561; i++) { /* 3^D */
            double near[D];
            size_t rest = i;
            for (size_t k = 0; k < D; k++, rest /= 3)
                near[k] = x[k] + SPACING * ((double)(rest % 3) - 1);
            assert_true(value_of(&p, near) >= exact.objective - 1e-9);
        }
        for (int m = 0; m < ADMMNN_METHOD_EXACT; m++) {
            settings.method = (admmnn_method)m;
            settings.rho_relative = m >= ADMMNN_METHOD_PGD ? 1 : 0.1;
            assert_true(solve(&p, &settings, x).objective >= exact.objective - 1e-9);
        }
    }
}

static void theory_holds_where_promised(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 12; seed++)
        for (int m = ADMMNN_METHOD_ADMM_Q; m <= ADMMNN_METHOD_ADMM_R; m++) {
            const quadratic p = make(seed, 5);
            double x[D];
            admmnn_solver_settings settings = settings_of((admmnn_method)m);
            settings.rho_relative = 1.5;
            settings.iterations = 30000;
            settings.beta = INFINITY;
            const admmnn_solver_info info = solve(&p, &settings, x);
            assert_int_equal(info.rho_suffices, 1);
            assert_int_equal(info.decreased, 1);
            assert_int_equal(info.outcome, ADMMNN_OUTCOME_REPEATS);
            assert_int_equal(info.stationary, 1);
            assert_true(info.primal < 1e-6 && info.dual == 0);
        }
    const quadratic p = make(1, 10);
    double x[D];
    admmnn_solver_settings settings = settings_of(ADMMNN_METHOD_ADMM_Q);
    settings.rho_relative = 1e-3;
    const admmnn_solver_info info = solve(&p, &settings, x);
    assert_int_equal(info.rho_suffices, 0);
    assert_int_equal(info.decreased, 0);
}

/* Where the answer is the best of all points the limit may be another one; where it is the
 * last point, it is the limit. */
static void the_limit_is_the_last_point(void **state) {
    (void)state;
    size_t apart = 0;
    for (uint64_t seed = 0; seed < 40; seed++)
        for (double relative = 0.4; relative < 0.65; relative += 0.1) {
            const quadratic p = make(seed, 2);
            double x[D];
            admmnn_solver_settings settings = settings_of(ADMMNN_METHOD_ADMM_S);
            settings.rho_relative = relative;
            settings.iterations = 20000;
            settings.last = 0;
            const admmnn_solver_info best = solve(&p, &settings, x);
            settings.last = 1;
            const admmnn_solver_info last = solve(&p, &settings, x);
            if (best.outcome != ADMMNN_OUTCOME_REPEATS)
                continue;
            apart += best.stationary != best.limit_stationary;
            assert_int_equal(last.limit_stationary, last.stationary);
        }
    assert_true(apart > 0);
}

/* ---- functions ---- */

static admmnn_status solve_function(quadratic *p, const admmnn_solver_settings *settings,
                                    double (*f)(void *, const double *, double *), double *x,
                                    admmnn_solver_info *info, admmnn_error *err) {
    const admmnn_problem problem = {.dimension = D, .f = f, .user = p, .set = "grid:8"};
    admmnn_solver *solver;
    BASE_TRY(admmnn_solver_create(&problem, settings, NULL, &solver, err));
    admmnn_status status = admmnn_solver_solve(solver, p->start, 0, NULL, x, info, err);
    admmnn_solver_free(solver);
    return status;
}

/* Many gradient steps are an exact step. */
static void inexact_steps_approach_exact_ones(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 6; seed++) {
        quadratic p = make(seed, 2);
        double x[2][D];
        admmnn_solver_info info;
        admmnn_solver_settings settings = settings_of(ADMMNN_METHOD_ADMM_S);
        settings.rho_relative = 1;
        settings.iterations = 60;
        info = solve(&p, &settings, x[0]);
        settings.x_step = ADMMNN_X_STEP_GRADIENT;
        settings.gradient_steps = 200;
        settings.lipschitz = info.lipschitz;
        MUST(solve_function(&p, &settings, function_of, x[1], &info, err));
        assert_memory_equal(x[0], x[1], sizeof x[0]);
        settings.x_step = ADMMNN_X_STEP_LINEAR;
        settings.rho_relative = 3;
        settings.iterations = 5000;
        MUST(solve_function(&p, &settings, function_of, x[1], &info, err));
        assert_int_equal(info.stationary, 1);
    }
}

static int calls;
static double breaks(void *user, const double *x, double *gradient) {
    return ++calls > 40 ? NAN : function_of(user, x, gradient);
}

/* However the answer is chosen, there is one: the best so far, or the last point. */
static void a_function_that_breaks_leaves_a_point(void **state) {
    (void)state;
    quadratic p = make(5, 10);
    for (int m = ADMMNN_METHOD_ADMM_Q; m <= ADMMNN_METHOD_GD_ROUND; m++)
        for (uint32_t last = 0; last <= LAST; last += LAST) {
            double x[D];
            admmnn_error err;
            admmnn_solver_info info;
            admmnn_solver_settings settings = settings_of((admmnn_method)m);
            for (size_t i = 0; i < D; i++)
                x[i] = NAN;
            settings.x_step = ADMMNN_X_STEP_GRADIENT;
            settings.lipschitz = 1000;
            settings.last = last;
            settings.rho = m == ADMMNN_METHOD_PGD ? 25 : 1000; /* it goes on for long */
            calls = 0;
            assert_int_equal(solve_function(&p, &settings, breaks, x, &info, &err),
                             ADMMNN_DIVERGED);
            assert_int_equal(info.outcome, ADMMNN_OUTCOME_DIVERGED);
            assert_non_null(strstr(err.message, "iteration"));
            for (size_t i = 0; i < D; i++)
                assert_true(x[i] == nearest(x[i]));
            assert_true(last != 0 ? isnan(info.objective) : info.objective == value_of(&p, x));
        }
}

/* Q has a direction in which f falls for ever. */
static void divergence_is_told(void **state) {
    (void)state;
    const double q[] = {-1, 0, 0, 1};
    const double start[] = {8, 8};
    const admmnn_matrix matrix = {.dense = q};
    const admmnn_problem problem = {.dimension = 2, .q = &matrix, .set = "grid:1"};
    admmnn_solver_settings settings = settings_of(ADMMNN_METHOD_ADMM_Q);
    admmnn_solver *solver;
    admmnn_solver_info info;
    admmnn_error err;
    double x[2];
    settings.rho = 2;
    settings.iterations = 100000;
    MUST(admmnn_solver_create(&problem, &settings, NULL, &solver, err));
    assert_int_equal(admmnn_solver_solve(solver, start, 0, NULL, x, &info, &err), ADMMNN_DIVERGED);
    assert_int_equal(info.outcome, ADMMNN_OUTCOME_DIVERGED);
    assert_true(isfinite(x[0]) && isfinite(x[1]));
    admmnn_solver_free(solver);
}

/* ---- a large sparse problem ---- */

#define LARGE 100000

/* A chain: Q = 2 + 0.1 on the diagonal, -1 beside it. */
static void a_large_sparse_problem_is_solved(void **state) {
    (void)state;
    size_t *start = base_array(LARGE + 1, sizeof *start);
    uint32_t *column = base_array(3 * (size_t)LARGE, sizeof *column);
    double *value = base_array(3 * (size_t)LARGE, sizeof *value);
    double *b = base_array(LARGE, sizeof *b);
    double *x = base_array(LARGE, sizeof *x);
    base_random random = base_random_at(9, 0, 0);
    size_t count = 0;
    for (size_t i = 0; i < LARGE; i++) {
        b[i] = 3 * draw(&random);
        for (size_t j = i == 0 ? 0 : i - 1; j <= i + 1 && j < LARGE; j++) {
            column[count] = (uint32_t)j;
            value[count++] = i == j ? 2.1 : -1;
        }
        start[i + 1] = count;
    }
    const admmnn_matrix q = {.start = start, .column = column, .value = value};
    const admmnn_problem problem = {.dimension = LARGE, .q = &q, .b = b, .set = "grid:1"};
    admmnn_solver_settings settings = settings_of(ADMMNN_METHOD_ADMM_Q);
    admmnn_solver *solver;
    admmnn_solver_info info[2];
    settings.iterations = 30;
    settings.tolerance = 1e-6;
    MUST(admmnn_solver_create(&problem, &settings, NULL, &solver, err));
    MUST(admmnn_solver_solve(solver, NULL, 0, NULL, x, &info[0], err));
    assert_true(info[0].lipschitz > 4.0 && info[0].lipschitz < 4.2);
    admmnn_solver_free(solver);
    settings.method = ADMMNN_METHOD_ROUND;
    MUST(admmnn_solver_create(&problem, &settings, NULL, &solver, err));
    MUST(admmnn_solver_solve(solver, NULL, 0, NULL, x, &info[1], err));
    admmnn_solver_free(solver);
    assert_true(info[0].objective < 0.98 * info[1].objective);
    base_free(start);
    base_free(column);
    base_free(value);
    base_free(b);
    base_free(x);
}

/* b = 0 and a start other than 0: the first system has a right side of 0. */
static void a_right_side_of_zero_is_solved(void **state) {
    (void)state;
    static const size_t start[] = {0, 1, 2};
    static const uint32_t column[] = {0, 1};
    static const double value[] = {1, 2};
    static const double from[] = {1, -1};
    const admmnn_matrix q = {.start = start, .column = column, .value = value};
    const admmnn_problem problem = {.dimension = 2, .q = &q, .set = "grid:8"};
    const admmnn_solver_settings settings = settings_of(ADMMNN_METHOD_ADMM_Q);
    admmnn_solver *solver;
    admmnn_solver_info info;
    double x[2];
    MUST(admmnn_solver_create(&problem, &settings, NULL, &solver, err));
    MUST(admmnn_solver_solve(solver, from, 0, NULL, x, &info, err));
    admmnn_solver_free(solver);
    assert_true(x[0] == 0 && x[1] == 0 && info.objective == 0);
}

static bool at_once(void *user) {
    (void)user;
    return true;
}

static void a_stop_is_heard(void **state) {
    (void)state;
    const quadratic p = make(1, 10);
    const admmnn_matrix q = {.dense = p.q};
    const admmnn_problem problem = {.dimension = D, .q = &q, .b = p.b, .set = "grid:8"};
    const admmnn_context context = {.cancelled = at_once};
    for (int m = ADMMNN_METHOD_ADMM_Q; m <= ADMMNN_METHOD_EXACT; m++) {
        const admmnn_solver_settings settings = settings_of((admmnn_method)m);
        admmnn_solver *solver;
        admmnn_solver_info info;
        admmnn_error err;
        double x[D];
        MUST(admmnn_solver_create(&problem, &settings, NULL, &solver, err));
        const admmnn_status status = admmnn_solver_solve(solver, NULL, 0, &context, x, &info, &err);
        admmnn_solver_free(solver);
        assert_true(status == (m == ADMMNN_METHOD_ROUND ? ADMMNN_OK : ADMMNN_CANCELLED));
        assert_true(m == ADMMNN_METHOD_ROUND || info.outcome == ADMMNN_OUTCOME_STOPPED);
    }
}

/* Which may take long: no more than a call or two of it come after the request. */
static bool after_forty(void *user) {
    (void)user;
    return calls > 40;
}

static double counts(void *user, const double *x, double *gradient) {
    calls++;
    return function_of(user, x, gradient);
}

static void a_function_is_stopped_at_once(void **state) {
    (void)state;
    quadratic p = make(1, 10);
    const admmnn_problem problem = {.dimension = D, .f = counts, .user = &p, .set = "grid:8"};
    const admmnn_context context = {.cancelled = after_forty};
    for (uint32_t steps = 1; steps <= 1000000; steps *= 1000000) {
        admmnn_solver_settings settings = settings_of(ADMMNN_METHOD_ADMM_Q);
        admmnn_solver *solver;
        admmnn_solver_info info;
        admmnn_error err;
        double x[D];
        settings.x_step = ADMMNN_X_STEP_GRADIENT;
        settings.gradient_steps = steps;
        settings.tolerance = 1e-300;
        settings.lipschitz = 1e6;
        calls = 0;
        MUST(admmnn_solver_create(&problem, &settings, NULL, &solver, err));
        assert_int_equal(admmnn_solver_solve(solver, NULL, 0, &context, x, &info, &err),
                         ADMMNN_CANCELLED);
        admmnn_solver_free(solver);
        assert_true(calls <= 45);
    }
}

/* Of a product and of a sparse Q already where the solver is made: Lanczos's method asks. */
static void a_stop_is_heard_before_there_is_a_solver(void **state) {
    (void)state;
    static const size_t start[] = {0, 1, 2};
    static const uint32_t column[] = {0, 1};
    static const double value[] = {1, 2};
    const admmnn_matrix q = {.start = start, .column = column, .value = value};
    const admmnn_problem problem = {.dimension = 2, .q = &q, .set = "grid:8"};
    const admmnn_context context = {.cancelled = at_once};
    const admmnn_solver_settings settings = settings_of(ADMMNN_METHOD_ADMM_Q);
    admmnn_solver *solver;
    admmnn_error err;
    assert_int_equal(admmnn_solver_create(&problem, &settings, &context, &solver, &err),
                     ADMMNN_CANCELLED);
}

/* What no double can tell apart is refused, not searched for ever. */
static void hopeless_lattices_are_refused(void **state) {
    (void)state;
    static const struct {
        double q[4], b[2];
        const char *set;
        bool solved;
    } cases[] = {{{2, -1, -1, 2}, {1, 1}, "grid:1e-170", true},
                 {{1e-12, 0, 0, 1e-12}, {1e10, 1e10}, "grid:1", false},
                 {{1, 1, 1, 1 + 1e-15}, {3, 4}, "grid:1", false}};
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        const admmnn_matrix q = {.dense = cases[c].q};
        const admmnn_problem problem = {
            .dimension = 2, .q = &q, .b = cases[c].b, .set = cases[c].set};
        admmnn_solver_settings settings = settings_of(ADMMNN_METHOD_EXACT);
        admmnn_solver *solver;
        admmnn_solver_info info;
        admmnn_error err;
        double x[2];
        settings.nodes = 1000000;
        if (admmnn_solver_create(&problem, &settings, NULL, &solver, &err) != ADMMNN_OK) {
            assert_false(cases[c].solved);
            continue;
        }
        (void)admmnn_solver_solve(solver, NULL, 0, NULL, x, &info, &err);
        admmnn_solver_free(solver);
    }
}

/* ---- refused ---- */

static void refuse(const admmnn_problem *problem, const admmnn_solver_settings *settings,
                   const char *word) {
    admmnn_solver *solver = NULL;
    admmnn_error err;
    if (admmnn_solver_create(problem, settings, NULL, &solver, &err) != ADMMNN_USAGE)
        fail_msg("taken, without a word of '%s'", word);
    if (strstr(err.message, word) == NULL)
        fail_msg("'%s' is not in: %s", word, err.message);
}

static void bad_problems_are_refused(void **state) {
    (void)state;
    quadratic p = make(1, 1);
    const admmnn_matrix q = {.dense = p.q};
    const admmnn_problem good = {.dimension = D, .q = &q, .b = p.b, .set = "grid:8"};
    const admmnn_solver_settings usual = settings_of(ADMMNN_METHOD_ADMM_Q);
    admmnn_problem problem = good;
    problem.set = "grid:0";
    refuse(&problem, &usual, "grid:0");
    problem.set = "levels:1,0";
    refuse(&problem, &usual, "do not rise");
    problem.set = NULL;
    refuse(&problem, &usual, "needs a set");
    const double levels[] = {0, 1, 2, 3, 4, 5, 6};
    const size_t first[D + 1] = {0, 1, 2, 3, 4, 5, 6, 7, 7};
    problem.levels = levels;
    problem.first = first;
    refuse(&problem, &usual, "coordinate 7");
    problem = good;
    problem.dimension = 0;
    refuse(&problem, &usual, "no coordinates");
    problem = good;
    problem.q = NULL;
    refuse(&problem, &usual, "function");
    problem.f = function_of;
    refuse(&problem, &usual, "x step");
    const double before = p.q[1];
    p.q[1] += 1;
    refuse(&good, &usual, "symmetric");
    p.q[1] = NAN;
    refuse(&good, &usual, "not finite");
    p.q[1] = before;
    p.q[0] -= 1000;
    refuse(&good, &usual, "positive definite");
    admmnn_solver_settings settings = usual;
    settings.method = ADMMNN_METHOD_EXACT;
    refuse(&good, &settings, "positive definite");
}

/* Which no factorisation tells: the eigenvalues do. */
static void indefinite_sparse_matrices_are_refused(void **state) {
    (void)state;
    static const size_t start[] = {0, 1, 2};
    static const uint32_t column[] = {0, 1};
    static const double value[] = {-1, 2};
    const admmnn_matrix q = {.start = start, .column = column, .value = value};
    const admmnn_problem problem = {.dimension = 2, .q = &q, .set = "grid:8"};
    admmnn_solver_settings settings = settings_of(ADMMNN_METHOD_ROUND);
    admmnn_solver *solver;
    refuse(&problem, &settings, "Q is not positive definite");
    settings = settings_of(ADMMNN_METHOD_ADMM_R);
    settings.rho = 0.5;
    refuse(&problem, &settings, "a larger rho is needed");
    settings.rho = 1.5;
    MUST(admmnn_solver_create(&problem, &settings, NULL, &solver, err));
    admmnn_solver_free(solver);
    settings = settings_of(ADMMNN_METHOD_PGD); /* solves no system */
    MUST(admmnn_solver_create(&problem, &settings, NULL, &solver, err));
    admmnn_solver_free(solver);
}

static void bad_settings_are_refused(void **state) {
    (void)state;
    quadratic p = make(1, 1);
    const admmnn_matrix q = {.dense = p.q};
    const admmnn_problem problem = {.dimension = D, .q = &q, .b = p.b, .set = "grid:8"};
    const struct {
        admmnn_solver_settings settings;
        const char *word;
    } cases[] = {
        {.settings = {.rho = -1}, .word = "rho"},
        {.settings = {.rho = NAN}, .word = "rho"},
        {.settings = {.rho = INFINITY}, .word = "rho"},
        {.settings = {.rho_relative = -1}, .word = "rho over"},
        {.settings = {.rho = 1, .beta = -1}, .word = "beta"},
        {.settings = {.rho = 1, .probability = 1.5}, .word = "probability"},
        {.settings = {.rho = 1, .probability = 1, .tolerance = 1}, .word = "tolerance"},
        {.settings = {.rho = 1, .probability = 1, .tolerance = 0.1}, .word = "iterations"},
        {.settings = {.rho = 1, .probability = 1, .tolerance = 0.1, .lipschitz = -1},
         .word = "Lipschitz"},
        {.settings = {.method = (admmnn_method)99}, .word = "method"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        refuse(&problem, &cases[i].settings, cases[i].word);
}

static void scaled_sets_keep_their_points(void **state) {
    (void)state;
    const quadratic p = make(2, 1);
    const admmnn_matrix q = {.dense = p.q};
    const admmnn_problem problem = {.dimension = D, .q = &q, .b = p.b, .set = "scaled-binary:4"};
    for (int m = ADMMNN_METHOD_ADMM_Q; m <= ADMMNN_METHOD_ROUND; m++) {
        admmnn_solver_settings settings = settings_of((admmnn_method)m);
        admmnn_solver *solver;
        admmnn_solver_info info;
        double x[D];
        settings.rho_relative = 1;
        MUST(admmnn_solver_create(&problem, &settings, NULL, &solver, err));
        MUST(admmnn_solver_solve(solver, p.start, 0, NULL, x, &info, err));
        admmnn_solver_free(solver);
        for (size_t i = 1; i < D; i++)
            assert_true(i % 4 == 0 || fabs(x[i]) == fabs(x[i - 1]));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(follows_the_paper),
        cmocka_unit_test(random_runs_follow_the_paper),
        cmocka_unit_test(variants_meet),
        cmocka_unit_test(stopping_early_changes_nothing),
        cmocka_unit_test(none_beats_the_exact),
        cmocka_unit_test(theory_holds_where_promised),
        cmocka_unit_test(the_limit_is_the_last_point),
        cmocka_unit_test(inexact_steps_approach_exact_ones),
        cmocka_unit_test(a_function_that_breaks_leaves_a_point),
        cmocka_unit_test(divergence_is_told),
        cmocka_unit_test(a_large_sparse_problem_is_solved),
        cmocka_unit_test(a_right_side_of_zero_is_solved),
        cmocka_unit_test(a_stop_is_heard),
        cmocka_unit_test(a_function_is_stopped_at_once),
        cmocka_unit_test(a_stop_is_heard_before_there_is_a_solver),
        cmocka_unit_test(hopeless_lattices_are_refused),
        cmocka_unit_test(bad_problems_are_refused),
        cmocka_unit_test(indefinite_sparse_matrices_are_refused),
        cmocka_unit_test(bad_settings_are_refused),
        cmocka_unit_test(scaled_sets_keep_their_points),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
