/* Products of sets of few values: what their names hold, and projections against every
 * value there is. */
#include "support.h"

#include "admm/product.h"

static admm_product *make(const char *text, size_t dimension) {
    admm_product *p;
    admmnn_error err = {0};
    expect_ok(admm_product_parse(text, dimension, &p, &err), &err);
    assert_int_equal(admm_product_dimension(p), dimension);
    return p;
}

static void expect_values(const char *text, const double *values, size_t count) {
    admm_product *p = make(text, 2);
    for (size_t i = 0; i < 2; i++) {
        const admm_ladder *ladder = &admm_product_ladders(p)[i];
        assert_int_equal(ladder->count, count);
        for (size_t k = 0; k < count; k++)
            assert_true(ladder->levels[k] == values[k]);
    }
    admm_product_free(p);
}

static void names_hold_their_values(void **state) {
    (void)state;
    expect_values("binary", (const double[]){-1, 1}, 2);
    expect_values("ternary", (const double[]){-1, 0, 1}, 3);
    expect_values("power-of-two:-1:1", (const double[]){-2, -1, -0.5, 0, 0.5, 1, 2}, 7);
    expect_values("levels:-1.5,0,1e3", (const double[]){-1.5, 0, 1000}, 3);
    expect_values("grid:0.5:-0.9:1", (const double[]){-0.5, 0, 0.5, 1}, 4);
    /* 0.3 / 0.1 is below 3 as doubles divide. */
    expect_values("grid:0.1:-0.3:0.3",
                  (const double[]){-3 * 0.1, -2 * 0.1, -0.1, 0, 0.1, 2 * 0.1, 3 * 0.1}, 7);
    expect_values("grid:0.1:-0.29:0.31", (const double[]){-2 * 0.1, -0.1, 0, 0.1, 2 * 0.1, 3 * 0.1},
                  6);
    expect_values("grid:8:8:8", (const double[]){8}, 1);
    admm_product *p = make("grid:8", 3);
    assert_int_equal(admm_product_ladders(p)[2].count, 0);
    assert_true(admm_product_ladders(p)[2].spacing == 8);
    admm_product_free(p);
}

static void expect_refused(const char *text, const char *why) {
    admm_product *p;
    admmnn_error err = {0};
    assert_int_equal(admm_product_parse(text, 4, &p, &err), ADMMNN_USAGE);
    if (strstr(err.message, why) == NULL)
        fail_msg("'%s': %s", text, err.message);
}

static void what_makes_no_set_is_said(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"", "no set ''; there are grid, binary, ternary, power-of-two, levels, scaled-binary"},
        {"gird:8", "no set 'gird:8'"},
        {"grid", "set 'grid': grid:D"},
        {"grid:0", "with D above 0"},
        {"grid:-1", "with D above 0"},
        {"grid:1:2", "grid:D:LOW:HIGH"},
        {"grid:8:1:7", "no multiple lies between"},
        {"grid:1e-9:0:1", "too many multiples"},
        {"grid:x", "'x' is no list of numbers"},
        {"grid:1:", "is no list of numbers"},
        {"grid:nan", "is no list of numbers"},
        {"grid:inf", "is no list of numbers"},
        {"grid:1,2,3", "is no list of numbers"},
        {"binary:2", "takes no numbers"},
        {"ternary:0", "takes no numbers"},
        {"power-of-two:2", "power-of-two:A:B"},
        {"power-of-two:2:1", "power-of-two:A:B"},
        {"power-of-two:0.5:1", "power-of-two:A:B"},
        {"power-of-two:0:1001", "within +-1000"},
        {"levels:", "set 'levels:': a list of levels is empty"},
        {"levels:1,1", "levels do not rise: 1 after 1"},
        {"levels:2,1", "levels do not rise: 1 after 2"},
        {"scaled-binary:0", "scaled-binary:G"},
        {"scaled-binary:1.5", "scaled-binary:G"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_refused(cases[i][0], cases[i][1]);
    admm_product *p;
    const double levels[] = {0, 1, 5, 3};
    const size_t start[] = {0, 2, 4};
    admmnn_error err = {0};
    assert_int_equal(admm_product_lists(levels, start, 2, &p, &err), ADMMNN_USAGE);
    assert_string_equal(err.message, "coordinate 1: levels do not rise: 3 after 5");
    assert_int_equal(admm_product_parse("binary", 0, &p, &err), ADMMNN_USAGE);
}

/* The nearest by trying all, of two as near the lower. */
static double nearest_of(const double *levels, size_t count, double v) {
    double best = levels[0];
    for (size_t i = 1; i < count; i++)
        if (fabs(v - levels[i]) < fabs(v - best))
            best = levels[i];
    return best;
}

static void each_coordinate_goes_to_its_nearest_value(void **state) {
    (void)state;
    const double levels[] = {-4, -1, 0.5, 2, 3, 7};
    const size_t start[] = {0, 1, 4, 6};
    admm_product *p;
    assert_int_equal(admm_product_lists(levels, start, 3, &p, NULL), ADMMNN_OK);
    for (double v = -9; v <= 9; v += 0.25) {
        double z[3] = {v, v, v};
        admm_product_project(p, z, z);
        for (size_t i = 0; i < 3; i++)
            assert_true(z[i] == nearest_of(levels + start[i], start[i + 1] - start[i], v));
    }
    admm_product_free(p);
}

static void an_endless_grid_is_rounded_to(void **state) {
    (void)state;
    admm_product *p = make("grid:8", 1);
    const double cases[][2] = {{0, 0},    {3.9, 0},     {4, 0},    {4.1, 8},      {-4, -8},
                               {-3.9, 0}, {-12.5, -16}, {100, 96}, {1e300, 1e300}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double z;
        admm_product_project(p, cases[i], &z);
        assert_true(z == cases[i][1]);
    }
    admm_product_free(p);
}

/* Against a fine search of the scale and every choice of signs. */
static void scales_are_fitted_by_group(void **state) {
    (void)state;
    base_random random = base_random_at(5, 0, 0);
    admm_product *p = make("scaled-binary:3", 5);
    assert_null(admm_product_ladders(p));
    for (int trial = 0; trial < 50; trial++) {
        double v[5];
        double z[5];
        double own = 0;
        for (size_t i = 0; i < 5; i++)
            v[i] = 4 * (double)base_random_uniform(&random) - 2;
        admm_product_project(p, v, z);
        assert_true(fabs(z[0]) == fabs(z[1]) && fabs(z[1]) == fabs(z[2]));
        assert_true(fabs(z[3]) == fabs(z[4]));
        for (size_t i = 0; i < 3; i++)
            own += (z[i] - v[i]) * (z[i] - v[i]);
        for (double scale = 0; scale <= 2; scale += 0.001)
            for (int signs = 0; signs < 8; signs++) {
                double sum = 0;
                for (size_t i = 0; i < 3; i++) {
                    const double gap = ((signs >> i & 1) != 0 ? scale : -scale) - v[i];
                    sum += gap * gap;
                }
                assert_true(sum >= own - 1e-12);
            }
    }
    admm_product_free(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_hold_their_values),
        cmocka_unit_test(what_makes_no_set_is_said),
        cmocka_unit_test(each_coordinate_goes_to_its_nearest_value),
        cmocka_unit_test(an_endless_grid_is_rounded_to),
        cmocka_unit_test(scales_are_fitted_by_group),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
