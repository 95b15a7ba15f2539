/* What a solver says of its runs, the residuals and the theory's conditions, and its default
 * penalties: against their definitions on problems whose points are known. */
#include "support.h"

#include "admm/quadratic.h"
#include "admmnn/solver.h"
#include "must.h"

static admmnn_solver_settings settings_of(admmnn_method method, double rho, uint64_t iterations) {
    admmnn_solver_settings settings;
    admmnn_solver_defaults(method, &settings);
    settings.rho = rho;
    settings.iterations = iterations;
    return settings;
}

static admmnn_solver_info solve(const admmnn_problem *problem,
                                const admmnn_solver_settings *settings, const double *start,
                                double *x) {
    admmnn_solver *solver;
    admmnn_solver_info info;
    MUST(admmnn_solver_create(problem, settings, NULL, &solver, err));
    MUST(admmnn_solver_solve(solver, start, 0, NULL, x, &info, err));
    admmnn_solver_free(solver);
    return info;
}

/* ---- a run in three coordinates, written out ---- */

#define D 3

typedef struct problem {
    double q[D], b[D], start[D]; /* q: Q's diagonal */
} problem;

typedef struct iterate {
    double x[D], y[D], y_before[D], l[D], hard[D]; /* hard: the projection */
} iterate;

static problem draw(base_random *random) {
    problem p;
    for (size_t i = 0; i < D; i++) {
        p.q[i] = 0.2 + 3 * (double)base_random_uniform(random);
        p.b[i] = 5 * (double)base_random_normal(random);
        p.start[i] = 5 * (double)base_random_normal(random);
    }
    return p;
}

static admmnn_solver_info solve_grid(const problem *p, const admmnn_solver_settings *settings,
                                     double *x) {
    double q[D * D] = {0};
    for (size_t i = 0; i < D; i++)
        q[i * D + i] = p->q[i];
    const admmnn_matrix matrix = {.dense = q};
    const admmnn_problem grid = {.dimension = D, .q = &matrix, .b = p->b, .set = "grid:1"};
    return solve(&grid, settings, p->start, x);
}

static double gap_of(const double *v, const double *w) {
    double sum = 0;
    for (size_t i = 0; i < D; i++)
        sum += (v[i] - w[i]) * (v[i] - w[i]);
    return sqrt(sum);
}

static iterate begin(const problem *p) {
    iterate at = {0};
    for (size_t i = 0; i < D; i++) {
        at.x[i] = p->start[i];
        at.y[i] = ceil(p->start[i] - 0.5);
    }
    return at;
}

/* An iteration of ADMM-S; beta infinite: ADMM-Q. */
static void iterate_once(const problem *p, double rho, double beta, iterate *at) {
    double z[D];
    memcpy(at->y_before, at->y, sizeof at->y);
    for (size_t i = 0; i < D; i++) {
        z[i] = at->x[i] + at->l[i] / rho;
        at->hard[i] = ceil(z[i] - 0.5);
    }
    const double distance = gap_of(z, at->hard);
    for (size_t i = 0; i < D; i++) {
        at->y[i] = distance <= beta / rho ? at->hard[i]
                                          : z[i] + beta / rho * (at->hard[i] - z[i]) / distance;
        at->x[i] = (rho * at->y[i] - p->b[i] - at->l[i]) / (p->q[i] + rho);
        at->l[i] += rho * (at->x[i] - at->y[i]);
    }
}

static void residuals_are_those_of_the_last_iteration(void **state) {
    (void)state;
    base_random random = base_random_at(1, 0, 0);
    size_t moving = 0;
    for (int trial = 0; trial < 20; trial++) {
        const problem p = draw(&random);
        const double rho = 0.3 + 2 * (double)base_random_uniform(&random);
        iterate at = begin(&p);
        for (uint64_t k = 1; k <= 8; k++) {
            double x[D];
            const admmnn_solver_settings settings = settings_of(ADMMNN_METHOD_ADMM_Q, rho, k);
            const admmnn_solver_info info = solve_grid(&p, &settings, x);
            iterate_once(&p, rho, INFINITY, &at);
            assert_true(fabs(info.primal - gap_of(at.x, at.y)) < 1e-12);
            assert_true(fabs(info.dual - rho * gap_of(at.y, at.y_before)) < 1e-12);
            moving += info.dual > 0;
        }
    }
    assert_true(moving > 20);
}

static double lagrangian_of(const problem *p, double rho, double beta, const iterate *at) {
    const double gap = gap_of(at->x, at->y);
    double sum = rho / 2 * gap * gap + beta * gap_of(at->y, at->hard);
    for (size_t i = 0; i < D; i++)
        sum += at->x[i] * (p->q[i] / 2 * at->x[i] + p->b[i]) + at->l[i] * (at->x[i] - at->y[i]);
    return sum;
}

/* Whether L never grew from an iteration to the next, the distance to A weighed by `weight`. */
static int decreases(const problem *p, double rho, double beta, double weight,
                     uint64_t iterations) {
    iterate at = begin(p);
    double before = INFINITY;
    for (uint64_t k = 0; k < iterations; k++) {
        iterate_once(p, rho, beta, &at);
        const double value = lagrangian_of(p, rho, weight, &at);
        if (value > before + 1e-9 * fmax(1, fabs(before)))
            return 0;
        before = value;
    }
    return 1;
}

static void the_lagrangian_has_the_distance_of_soft_projections(void **state) {
    (void)state;
    base_random random = base_random_at(2, 0, 0);
    size_t decreased = 0;
    size_t differ = 0;
    for (int trial = 0; trial < 200; trial++) {
        const problem p = draw(&random);
        const double rho = 0.5 + 6 * (double)base_random_uniform(&random);
        admmnn_solver_settings settings = settings_of(ADMMNN_METHOD_ADMM_S, rho, 25);
        double x[D];
        settings.beta = 0.05 + 2 * (double)base_random_uniform(&random);
        const int own = decreases(&p, rho, settings.beta, settings.beta, 25);
        assert_int_equal(solve_grid(&p, &settings, x).decreased, own);
        decreased += own == 1;
        differ += own != decreases(&p, rho, settings.beta, 0, 25);
    }
    assert_true(decreased > 20 && decreased < 180 && differ > 5);
}

/* One value alone has not decreased. */
static void a_decrease_is_of_two_iterations(void **state) {
    (void)state;
    base_random random = base_random_at(3, 0, 0);
    const problem p = draw(&random);
    admmnn_solver_settings settings = settings_of(ADMMNN_METHOD_ADMM_Q, 10, 1);
    double x[D];
    assert_int_equal(solve_grid(&p, &settings, x).decreased, -1);
    settings.iterations = 2;
    assert_int_equal(solve_grid(&p, &settings, x).decreased, 1);
    settings.check = false;
    assert_int_equal(solve_grid(&p, &settings, x).decreased, -1);
    settings = settings_of(ADMMNN_METHOD_PGD, 10, 2);
    assert_int_equal(solve_grid(&p, &settings, x).decreased, -1);
}

/* ---- stationary points ---- */

/* The point that the start is, judged. */
static int judge(const char *set, const double *start, const double *minimum, size_t d) {
    double q[25] = {0};
    double b[5];
    double x[5];
    for (size_t i = 0; i < d; i++) {
        q[i * d + i] = 1;
        b[i] = -minimum[i];
    }
    const admmnn_matrix matrix = {.dense = q};
    const admmnn_problem problem = {.dimension = d, .q = &matrix, .b = b, .set = set};
    const admmnn_solver_settings settings = settings_of(ADMMNN_METHOD_ADMM_Q, 1, 1);
    const admmnn_solver_info info = solve(&problem, &settings, start, x);
    assert_memory_equal(x, start, d * sizeof *x);
    assert_int_equal(info.limit_stationary, -1); /* no limit in one iteration */
    return info.stationary;
}

/* With Q = I and rho = 1 a point less its gradient is the minimum: stationary is what is
 * nearest to it. */
static void the_nearest_points_alone_are_stationary(void **state) {
    (void)state;
    static const double minimum[] = {0.4, -2.6, 7};
    assert_int_equal(judge("grid:1", (const double[]){0, -3, 7}, minimum, 3), 1);
    assert_int_equal(judge("grid:1", (const double[]){1, -3, 7}, minimum, 3), 0);
    assert_int_equal(judge("grid:1", (const double[]){0, -2, 7}, minimum, 3), 0);
    assert_int_equal(judge("grid:1", (const double[]){0, -3, 8}, minimum, 3), 0);
    static const double halfway[] = {0.5, 0, 0}; /* both are nearest */
    assert_int_equal(judge("grid:1", (const double[]){0, 0, 0}, halfway, 3), 1);
    assert_int_equal(judge("grid:1", (const double[]){1, 0, 0}, halfway, 3), 1);
}

static void fitted_scales_are_judged_by_group(void **state) {
    (void)state;
    static const double minimum[] = {3, -1, 2, 2, -7};
    const char *set = "scaled-binary:2"; /* the last group has one coordinate */
    assert_int_equal(judge(set, (const double[]){2, -2, 2, 2, -7}, minimum, 5), 1);
    assert_int_equal(judge(set, (const double[]){2, 2, 2, 2, -7}, minimum, 5), 0);
    assert_int_equal(judge(set, (const double[]){2, -2, 1, 1, -7}, minimum, 5), 0);
    assert_int_equal(judge(set, (const double[]){2, -2, 2, 2, 7}, minimum, 5), 0);
}

/* A million is as near as minus a million, but for rounding; what that may come to is nothing
 * to a coordinate of size 1. */
static void a_large_coordinate_hides_no_small_one(void **state) {
    (void)state;
    static const double q[] = {1, 0, 0, 1};
    static const double levels[] = {-1e6, 1e6, 0, 1};
    static const size_t first[] = {0, 2, 4};
    const admmnn_matrix matrix = {.dense = q};
    const admmnn_problem problem = {.dimension = 2, .q = &matrix, .levels = levels, .first = first};
    const admmnn_solver_settings settings = settings_of(ADMMNN_METHOD_ADMM_Q, 1, 1);
    for (int last = 0; last < 2; last++) {
        const double start[] = {1e6, last};
        double x[2];
        const admmnn_solver_info info = solve(&problem, &settings, start, x);
        assert_memory_equal(x, start, sizeof x);
        assert_int_equal(info.stationary, last == 0);
    }
}

/* Steps of twice the way to the minimum end where they began, one time out of two. */
static void limits_are_judged_beside_answers(void **state) {
    (void)state;
    static const double q[] = {1};
    static const double start[] = {5};
    const admmnn_matrix matrix = {.dense = q};
    const admmnn_problem problem = {.dimension = 1, .q = &matrix, .set = "grid:1"};
    double x[1];
    admmnn_solver_settings settings = settings_of(ADMMNN_METHOD_PGD, 0.5, 100);
    admmnn_solver_info info = solve(&problem, &settings, start, x);
    assert_int_equal(info.outcome, ADMMNN_OUTCOME_REPEATS);
    assert_true(fabs(x[0]) == 5 && info.stationary == 0 && info.limit_stationary == 0);
    settings.rho = 1;
    info = solve(&problem, &settings, start, x);
    assert_int_equal(info.outcome, ADMMNN_OUTCOME_REPEATS);
    assert_true(x[0] == 0 && info.stationary == 1 && info.limit_stationary == 1);
    settings.rho = 100; /* no step is long enough to leave where it begins */
    info = solve(&problem, &settings, start, x);
    assert_true(x[0] == 5 && info.stationary == 1 && info.limit_stationary == 1);
}

/* ---- whether rho suffices ---- */

static int suffices(const double *q, double rho, double lipschitz) {
    static const double start[2] = {0, 0};
    const admmnn_matrix matrix = {.dense = q};
    const admmnn_problem problem = {.dimension = 2, .q = &matrix, .set = "binary"};
    admmnn_solver_settings settings = settings_of(ADMMNN_METHOD_ADMM_Q, rho, 1);
    double x[2];
    settings.lipschitz = lipschitz;
    return solve(&problem, &settings, start, x).rho_suffices;
}

/* rho (rho + m) = 2 L^2 at 1 + sqrt(19) where m is -2 and L is 3, at sqrt(19) - 1 where m is
 * 2. An L that is given changes rho in its units, not the condition. */
static void rho_is_measured_by_the_smallest_eigenvalue(void **state) {
    (void)state;
    static const double indefinite[] = {0.5, 2.5, 2.5, 0.5}; /* 3 and -2 */
    static const double definite[] = {2.5, 0.5, 0.5, 2.5};   /* 3 and 2 */
    const double root = sqrt(19);
    assert_int_equal(suffices(indefinite, root + 0.999, 0), 0);
    assert_int_equal(suffices(indefinite, root + 1.001, 0), 1);
    assert_int_equal(suffices(definite, root - 1.001, 0), 0);
    assert_int_equal(suffices(definite, root - 0.999, 0), 1);
    assert_int_equal(suffices(indefinite, root + 0.999, 0.1), 0);
    assert_int_equal(suffices(indefinite, root + 1.001, 100), 1);
}

#define MANY 300

/* Of a sparse Q both ends are known up to a residual alone, of which the worse is taken. */
static void rho_suffices_whatever_the_estimate_left_open(void **state) {
    (void)state;
    size_t start[MANY + 1];
    uint32_t column[MANY];
    double value[MANY];
    double x[MANY];
    double smallest;
    double largest;
    double residual;
    for (size_t i = 0; i < MANY; i++) {
        start[i] = i;
        column[i] = (uint32_t)i;
        value[i] = -12 + 17 * (double)i / (MANY - 1);
    }
    start[MANY] = MANY;
    const admmnn_matrix q = {.start = start, .column = column, .value = value};
    admm_quadratic *f;
    MUST(admm_quadratic_create(&q, NULL, MANY, &f, err));
    MUST(admm_quadratic_spectrum(f, 1e-6, &smallest, &largest, &residual, NULL, err));
    admm_quadratic_free(f);
    const double l = fmax(-smallest, largest) + residual;
    const double m = smallest - residual;
    const double least = -m / 2 + sqrt(m * m / 4 + 2 * l * l);
    assert_true(residual > 1e-6);
    for (int above = 0; above < 2; above++) {
        const admmnn_problem problem = {.dimension = MANY, .q = &q, .set = "binary"};
        const admmnn_solver_settings settings =
            settings_of(ADMMNN_METHOD_ADMM_Q, least * (above ? 1 + 1e-9 : 1 - 1e-9), 1);
        assert_int_equal(solve(&problem, &settings, NULL, x).rho_suffices, above);
    }
}

static void other_steps_promise_nothing(void **state) {
    (void)state;
    base_random random = base_random_at(5, 0, 0);
    const problem p = draw(&random);
    double x[D];
    admmnn_solver_settings settings = settings_of(ADMMNN_METHOD_PGD, 100, 1);
    assert_int_equal(solve_grid(&p, &settings, x).rho_suffices, -1);
    settings = settings_of(ADMMNN_METHOD_ADMM_Q, 100, 1);
    assert_int_equal(solve_grid(&p, &settings, x).rho_suffices, 1);
    settings.x_step = ADMMNN_X_STEP_LINEAR;
    assert_int_equal(solve_grid(&p, &settings, x).rho_suffices, -1);
}

/* ---- defaults ---- */

static void default_penalties_are_those_promised(void **state) {
    (void)state;
    static const struct {
        admmnn_method method;
        admmnn_x_step step;
        double relative;
    } cases[] = {{ADMMNN_METHOD_ADMM_Q, ADMMNN_X_STEP_EXACT, 1e-5},
                 {ADMMNN_METHOD_ADMM_S, ADMMNN_X_STEP_EXACT, 1e-5},
                 {ADMMNN_METHOD_ADMM_R, ADMMNN_X_STEP_EXACT, 1e-3},
                 {ADMMNN_METHOD_ADMM_Q, ADMMNN_X_STEP_GRADIENT, 1},
                 {ADMMNN_METHOD_ADMM_R, ADMMNN_X_STEP_GRADIENT, 1},
                 {ADMMNN_METHOD_ADMM_S, ADMMNN_X_STEP_LINEAR, 3},
                 {ADMMNN_METHOD_ADMM_R, ADMMNN_X_STEP_LINEAR, 3},
                 {ADMMNN_METHOD_PGD, ADMMNN_X_STEP_EXACT, 1},
                 {ADMMNN_METHOD_GD_ROUND, ADMMNN_X_STEP_EXACT, 1}};
    const problem p = {.q = {1, 4, 2}};
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        double x[D];
        admmnn_solver_settings settings = settings_of(cases[c].method, 0, 1);
        settings.x_step = cases[c].step;
        const admmnn_solver_info info = solve_grid(&p, &settings, x);
        assert_true(fabs(info.lipschitz - 4) < 1e-12);
        assert_true(fabs(info.rho / info.lipschitz / cases[c].relative - 1) < 1e-12);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(residuals_are_those_of_the_last_iteration),
        cmocka_unit_test(the_lagrangian_has_the_distance_of_soft_projections),
        cmocka_unit_test(a_decrease_is_of_two_iterations),
        cmocka_unit_test(the_nearest_points_alone_are_stationary),
        cmocka_unit_test(fitted_scales_are_judged_by_group),
        cmocka_unit_test(a_large_coordinate_hides_no_small_one),
        cmocka_unit_test(limits_are_judged_beside_answers),
        cmocka_unit_test(rho_is_measured_by_the_smallest_eigenvalue),
        cmocka_unit_test(rho_suffices_whatever_the_estimate_left_open),
        cmocka_unit_test(other_steps_promise_nothing),
        cmocka_unit_test(default_penalties_are_those_promised),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
