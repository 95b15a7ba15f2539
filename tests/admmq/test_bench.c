/* The experiment on quadratics: its instances' optima, its cells against runs one by one, its
 * choices, and that it says the same whatever the number of threads. */
#include "support.h"

#include "quadratic.h"

#include "admm/batch.h"
#include "admmq/bench.h"

static admmnn_quadratics_settings small(void) {
    admmnn_quadratics_settings s;
    admmnn_quadratics_defaults(&s);
    s.dimension = 5;
    s.instances = 3;
    s.starts = 7;
    s.iterations = 400;
    s.pgd_iterations = 400;
    s.spacing = 2;
    return s;
}

/* No point near the rounded minimum is below the optimum, which lies between the minimum
 * without levels and any of them. */
static void optima_are_optima(void **state) {
    (void)state;
    const admmnn_quadratics_settings s = small();
    for (uint32_t number = 0; number < 4; number++) {
        quadratics_instance p;
        MUST(quadratics_create(&s, number, NULL, &p, err));
        assert_true(p.proven);
        assert_true(p.continuous <= p.optimum && p.optimum <= p.rounded + 1e-9 && p.optimum <= 0);
        base_random random = base_random_at(number, 1, 1);
        for (int round = 0; round < 20000; round++) {
            double x[5];
            for (size_t i = 0; i < 5; i++)
                x[i] = s.spacing * ((double)base_random_below(&random, 41) - 20);
            assert_true(quadratic_value(p.q, p.b, 5, x) >= p.optimum - 1e-9);
        }
        quadratics_free(&p);
    }
}

static void run(unsigned threads, bench_table *table) {
    const admmnn_quadratics_settings s = small();
    const admmnn_context context = {.threads = threads};
    MUST(bench_table_run(&s, 0, &context, table, err));
}

static void the_grid_is_the_published_one(void **state) {
    (void)state;
    bench_setting grid[BENCH_SETTINGS];
    size_t counts[BENCH_METHODS] = {0};
    bench_fill_grid(grid);
    for (size_t s = 0; s < BENCH_SETTINGS; s++)
        counts[grid[s].method]++;
    assert_true(counts[ADMMNN_METHOD_ADMM_Q] == 9 && counts[ADMMNN_METHOD_ADMM_S] == 189 &&
                counts[ADMMNN_METHOD_ADMM_R] == 63 && counts[ADMMNN_METHOD_PGD] == 9 &&
                counts[ADMMNN_METHOD_GD_ROUND] == 9);
    assert_true(fabs(grid[9].rho_relative - 1e-6) < 1e-18 && fabs(grid[9].beta - 1e-5) < 1e-17);
}

static void threads_change_nothing(void **state) {
    (void)state;
    bench_setting grid[BENCH_SETTINGS];
    bench_fill_grid(grid);
    bench_table one = {.settings = grid, .setting_count = BENCH_SETTINGS};
    bench_table three = one;
    run(1, &one);
    run(3, &three);
    for (size_t c = 0; c < BENCH_SETTINGS * one.instance_count; c++) {
        assert_memory_equal(&one.cells[c], &three.cells[c], sizeof one.cells[c]);
        const double least = one.cells[c].value.least;
        const double optimum = one.instances[c % one.instance_count].optimum;
        assert_true(least >= optimum - 1e-6);
    }
    bench_pair pairs[BENCH_PAIRS];
    size_t best;
    MUST(bench_compare(&one, pairs, err));
    assert_true(pairs[0].test.above == 0); /* beta up to 1e5: ADMM-Q is one of ADMM-S */
    MUST(bench_best(&one, ADMMNN_METHOD_PGD, &best, err));
    assert_true(grid[best].method == ADMMNN_METHOD_PGD && grid[best].rho_relative >= 1);
    bench_table_free(&one);
    bench_table_free(&three);
}

/* ---- cells ---- */

/* Numbers of iterations apart, and so few that no run ends earlier. */
#define ITERATIONS 110
#define PGD_ITERATIONS 4
#define FIRST 3

static const bench_setting various[] = {
    {ADMMNN_METHOD_ADMM_Q, 1, INFINITY, 1},    {ADMMNN_METHOD_ADMM_S, 1, 20, 1},
    {ADMMNN_METHOD_ADMM_S, 1, INFINITY, 1},    {ADMMNN_METHOD_ADMM_R, 1, INFINITY, 0.1},
    {ADMMNN_METHOD_ADMM_R, 1, INFINITY, 0.9},  {ADMMNN_METHOD_PGD, 1, INFINITY, 1},
    {ADMMNN_METHOD_GD_ROUND, 1, INFINITY, 1},  {ADMMNN_METHOD_ADMM_Q, 10, INFINITY, 1},
    {ADMMNN_METHOD_GD_ROUND, 10, INFINITY, 1}, {ADMMNN_METHOD_PGD, 10, INFINITY, 1},
};
#define VARIOUS (sizeof various / sizeof various[0])

static admmnn_quadratics_settings unequal(void) {
    admmnn_quadratics_settings s = small();
    s.iterations = ITERATIONS;
    s.pgd_iterations = PGD_ITERATIONS;
    return s;
}

static bool iterates_by_gradients(const bench_setting *setting) {
    return setting->method == ADMMNN_METHOD_PGD || setting->method == ADMMNN_METHOD_GD_ROUND;
}

/* ADMM-R's draws are the batch's own: its run of one start, alone. */
static double run_randomised(const admmnn_quadratics_settings *s, const bench_setting *setting,
                             const quadratics_instance *p, uint64_t number, uint32_t r) {
    const batch_problem problem = {.d = s->dimension,
                                   .q = p->q,
                                   .b = p->b,
                                   .spacing = s->spacing,
                                   .rho = setting->rho_relative * p->lipschitz,
                                   .method = BATCH_RANDOMISED,
                                   .iterations = ITERATIONS,
                                   .last = s->last};
    batch_run run = {.start = p->starts + r * s->dimension,
                     .beta = INFINITY,
                     .probability = setting->probability,
                     .seed = s->seed,
                     .number = (number << 20) + r};
    MUST(batch_solve(&problem, NULL, NULL, &run, 1, err));
    return run.value;
}

static double run_alone(const admmnn_quadratics_settings *s, const bench_setting *setting,
                        const quadratics_instance *p, uint32_t r) {
    const admmnn_matrix q = {.dense = p->q};
    const admmnn_problem problem = {.dimension = s->dimension, .q = &q, .b = p->b, .set = "grid:2"};
    admmnn_solver_settings settings;
    admmnn_solver *solver;
    admmnn_solver_info info;
    double x[5];
    admmnn_solver_defaults(setting->method, &settings);
    settings.rho_relative = setting->rho_relative;
    settings.beta = setting->beta;
    settings.iterations = iterates_by_gradients(setting) ? PGD_ITERATIONS : ITERATIONS;
    settings.last = s->last;
    MUST(admmnn_solver_create(&problem, &settings, NULL, &solver, err));
    MUST(admmnn_solver_solve(solver, p->starts + r * s->dimension, 0, NULL, x, &info, err));
    admmnn_solver_free(solver);
    return info.objective;
}

static bool is_near(double value, double wanted) {
    return fabs(value - wanted) <= 1e-9 * (1 + fabs(wanted));
}

static void check_cell(const admmnn_quadratics_settings *s, const bench_setting *setting,
                       const quadratics_instance *p, uint64_t number, const bench_cell *cell) {
    double values[7];
    for (uint32_t r = 0; r < s->starts; r++)
        values[r] = setting->method == ADMMNN_METHOD_ADMM_R
                        ? run_randomised(s, setting, p, number, r)
                        : run_alone(s, setting, p, r);
    const admmnn_quartiles wanted = statistics_quartiles(values, s->starts);
    assert_true(is_near(cell->value.least, wanted.least));
    assert_true(is_near(cell->value.lower, wanted.lower));
    assert_true(is_near(cell->value.median, wanted.median));
    assert_true(is_near(cell->value.upper, wanted.upper));
    assert_true(is_near(cell->value.greatest, wanted.greatest));
    assert_true(cell->iterations ==
                s->starts * (iterates_by_gradients(setting) ? PGD_ITERATIONS : ITERATIONS));
    assert_int_equal(cell->diverged, 0);
}

static void cells_are_runs_one_by_one(void **state) {
    (void)state;
    const admmnn_quadratics_settings s = unequal();
    bench_table table = {.settings = various, .setting_count = VARIOUS};
    MUST(bench_table_run(&s, FIRST, NULL, &table, err));
    for (size_t k = 0; k < VARIOUS; k++)
        for (size_t i = 0; i < s.instances; i++)
            check_cell(&s, &various[k], &table.instances[i], FIRST + i,
                       &table.cells[k * s.instances + i]);
    bench_table_free(&table);
}

/* Those that are measured last are not those that settings were chosen on. */
static void tables_begin_where_they_are_told(void **state) {
    (void)state;
    const admmnn_quadratics_settings s = unequal();
    bench_table table = {.settings = various, .setting_count = 1};
    MUST(bench_table_run(&s, FIRST, NULL, &table, err));
    for (uint32_t i = 0; i < s.instances; i++) {
        quadratics_instance p[2];
        MUST(quadratics_create(&s, FIRST + i, NULL, &p[0], err));
        MUST(quadratics_create(&s, i, NULL, &p[1], err));
        assert_true(table.instances[i].optimum == p[0].optimum);
        assert_true(table.instances[i].optimum != p[1].optimum);
        quadratics_free(&p[0]);
        quadratics_free(&p[1]);
    }
    bench_table_free(&table);
}

/* ---- choices, from figures made by hand ---- */

#define HAND 7
#define HAND_INSTANCES 3

static const bench_setting by_hand[HAND] = {
    {ADMMNN_METHOD_ADMM_Q, 1e-3, INFINITY, 1},   {ADMMNN_METHOD_ADMM_S, 1e-3, 1, 1},
    {ADMMNN_METHOD_ADMM_S, 1e-3, 10, 1},         {ADMMNN_METHOD_ADMM_S, 1e-3, 100, 1},
    {ADMMNN_METHOD_ADMM_R, 1e-3, INFINITY, 0.5}, {ADMMNN_METHOD_PGD, 1, INFINITY, 1},
    {ADMMNN_METHOD_GD_ROUND, 1, INFINITY, 1},
};

/* Of ADMM-S the first is best on the first instance alone, the second in the mean of the ranks,
 * the third in the mean. */
static const double hand_medians[HAND][HAND_INSTANCES] = {
    {50, 50, 5}, {1, 1000, 1000}, {2, 20, 20}, {900, 30, 30}, {6, 6, 4}, {70, 4, 80}, {3, 3, 3}};

static void fill_by_hand(bench_cell *cells) {
    for (size_t s = 0; s < HAND; s++)
        for (size_t i = 0; i < HAND_INSTANCES; i++)
            cells[s * HAND_INSTANCES + i] = (bench_cell){.value.median = hand_medians[s][i]};
}

static void the_choice_is_by_all_instances(void **state) {
    (void)state;
    bench_cell cells[HAND * HAND_INSTANCES];
    const bench_table table = {.settings = by_hand,
                               .setting_count = HAND,
                               .instance_count = HAND_INSTANCES,
                               .cells = cells};
    size_t best;
    fill_by_hand(cells);
    MUST(bench_best(&table, ADMMNN_METHOD_ADMM_S, &best, err));
    assert_int_equal(best, 2);
    MUST(bench_best(&table, ADMMNN_METHOD_GD_ROUND, &best, err));
    assert_int_equal(best, 6);
}

/* The least of each method's settings: of ADMM-S 1, 20, 20. */
static void pairs_are_those_that_were_published(void **state) {
    (void)state;
    static const struct {
        admmnn_method a, b;
        size_t below, above;
    } wanted[BENCH_PAIRS] = {{ADMMNN_METHOD_ADMM_S, ADMMNN_METHOD_ADMM_Q, 2, 1},
                             {ADMMNN_METHOD_ADMM_R, ADMMNN_METHOD_ADMM_Q, 3, 0},
                             {ADMMNN_METHOD_ADMM_Q, ADMMNN_METHOD_PGD, 2, 1},
                             {ADMMNN_METHOD_ADMM_R, ADMMNN_METHOD_ADMM_S, 2, 1}};
    bench_cell cells[HAND * HAND_INSTANCES];
    const bench_table table = {.settings = by_hand,
                               .setting_count = HAND,
                               .instance_count = HAND_INSTANCES,
                               .cells = cells};
    bench_pair pairs[BENCH_PAIRS];
    fill_by_hand(cells);
    MUST(bench_compare(&table, pairs, err));
    for (size_t k = 0; k < BENCH_PAIRS; k++) {
        assert_int_equal(pairs[k].a, wanted[k].a);
        assert_int_equal(pairs[k].b, wanted[k].b);
        assert_int_equal(pairs[k].test.below, wanted[k].below);
        assert_int_equal(pairs[k].test.above, wanted[k].above);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(optima_are_optima),
        cmocka_unit_test(the_grid_is_the_published_one),
        cmocka_unit_test(threads_change_nothing),
        cmocka_unit_test(cells_are_runs_one_by_one),
        cmocka_unit_test(tables_begin_where_they_are_told),
        cmocka_unit_test(the_choice_is_by_all_instances),
        cmocka_unit_test(pairs_are_those_that_were_published),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
