/* The pictures of ADMM-Q's experiments, from figures made by hand. */
#include "support.h"

#include <math.h>

#include "report/report.h"

typedef admmnn_status (*writer)(const char *path, const char *json, size_t size, admmnn_error *err);

static admmnn_status draw(writer write, const char *text, size_t size) {
    char path[BASE_PATH_MAX];
    assert_int_equal(base_path_join(path, sizeof path, folder, "p.svg", NULL), ADMMNN_OK);
    return write(path, text, size, NULL);
}

/* The picture, which is well-formed, coloured and free of what is no number. */
static char *take_picture(writer write, const char *text) {
    assert_int_equal(draw(write, text, strlen(text)), ADMMNN_OK);
    char *svg = file_take("p.svg");
    assert_non_null(svg);
    assert_null(xml_wrong(svg));
    assert_null(svg_colourless(svg));
    assert_null(strstr(svg, "nan"));
    assert_null(strstr(svg, "inf"));
    return svg;
}

static void refuses_cuts(writer write, const char *text) {
    for (size_t cut = 0; cut < strlen(text); cut += 7) {
        char *bytes = base_array_copy(text, cut, 1);
        assert_int_equal(draw(write, bytes, cut), ADMMNN_CORRUPT);
        base_free(bytes);
    }
    assert_int_equal(draw(write, "{}", 2), ADMMNN_CORRUPT);
    assert_null(file_take("p.svg"));
}

/* The number that follows `name="` after the text. */
static double number_after(const char *svg, const char *text, const char *name) {
    const char *at = strstr(svg, text);
    assert_non_null(at);
    at = strstr(at, name);
    assert_non_null(at);
    return atof(at + strlen(name));
}

/* ---- quadratics ---- */

#define FIGURES(a, b, c, d, e)                                                                     \
    "\"least\": [" #a "], \"lower_quartile\": [" #b "], \"median\": [" #c                          \
    "], \"upper_quartile\": [" #d "], \"greatest\": [" #e "]"

/* Optimum -10. One setting reaches it, one is 10 to 1000 above, a third diverged. */
#define INSTANCES "\"instances\": [{\"optimum\": -10, \"proven\": true}]"
static const char quadratics_text[] =
    "{\"experiment\": \"quadratics\", \"dimension\": 16, \"condition\": 10, " INSTANCES
    ", \"methods\": ["
    "{\"method\": \"admm-q\", \"best\": 1, \"settings\": ["
    "{\"rho_relative\": 0.1, " FIGURES(90, 90, 90, 90, 90) "},"
    "{\"rho_relative\": 0.1, " FIGURES(-10, -10, -10, -10, -10) "},"
    "{\"rho_relative\": 10, " FIGURES(990, 990, 990, 990, 990) "}]},"
    "{\"method\": \"pgd\", \"best\": 0, \"settings\": ["
    "{\"rho_relative\": 0.1, " FIGURES(null, null, null, null, null) "},"
    "{\"rho_relative\": 10, " FIGURES(0, 20, 90, 490, 990) "}]}],"
    "\"held_out\": {" INSTANCES ", \"methods\": ["
    "{\"method\": \"admm-q\", \"best\": 0, \"settings\": ["
    "{\"rho_relative\": 0.1, " FIGURES(-10, -10, -10, -10, -10) "}]},"
    "{\"method\": \"gd-round\", \"best\": 0, \"settings\": ["
    "{\"rho_relative\": 0.1, " FIGURES(-10, 90, 90, 90, null) "}]},"
    "{\"method\": \"pgd\", \"best\": 0, \"settings\": ["
    "{\"rho_relative\": 10, " FIGURES(0, 20, 90, 490, 990) "}]}]}}";

static void boxes_are_above_the_optimum(void **state) {
    (void)state;
    char *svg = take_picture(report_write_quadratics, quadratics_text);
    assert_non_null(strstr(svg, "Quadratics of 16 coordinates, v = 10"));
    assert_non_null(strstr(svg, "above the true optimum, over"));
    assert_int_equal(times(svg, "<rect fill-opacity"), 2); /* of gd-round some diverged */
    assert_null(strstr(svg, "gd-round, instance"));
    assert_non_null(strstr(svg, "admm-q, instance 1: median 0 above the optimum, 0 to 0"));
    assert_non_null(strstr(svg, "pgd, instance 1: median 100 above the optimum, 10 to 1000"));
    const double foot = number_after(svg, "admm-q, instance 1", " y=\"");
    const double top = number_after(svg, "pgd, instance 1", " y=\"");
    const double height = number_after(svg, "pgd, instance 1", "height=\"");
    assert_true(top + height < foot);
    assert_true(fabs(foot - number_after(svg, "class=\"frame\"", "V")) <= 1); /* where no gap is */
    base_free(svg);
}

/* Of two settings at one rho the better; none where all diverged. */
static void lines_take_the_best_setting(void **state) {
    (void)state;
    char *svg = take_picture(report_write_quadratics_rho, quadratics_text);
    const char *line = strstr(svg, "class=\"line s0\"");
    assert_non_null(line);
    double x[2];
    double y[2];
    const char *path = strstr(line, " d=\"M");
    assert_non_null(path);
    assert_int_equal(sscanf(path, " d=\"M%lf %lfL%lf %lf", &x[0], &y[0], &x[1], &y[1]), 4);
    assert_true(x[0] < x[1] && y[0] > y[1]); /* from the optimum up to 1000 above it */
    base_free(svg);
}

static void cut_experiments_leave_no_picture(void **state) {
    (void)state;
    refuses_cuts(report_write_quadratics, quadratics_text);
    refuses_cuts(report_write_quadratics_rho, quadratics_text);
}

/* ---- recipes ---- */

static const char recipes_text[] =
    "{\"experiment\": \"recipes\", \"seeds\": 2, \"recipes\": ["
    "{\"recipe\": \"a<b\", \"packed\": {\"mean\": 0.96}, \"packed_by_seed\": [0.95, 0.97]},"
    "{\"recipe\": \"c\", \"packed\": {\"mean\": 0.4}, \"packed_by_seed\": [0.3, 0.5]}]}";

static void a_dot_a_seed_and_a_line_at_the_mean(void **state) {
    (void)state;
    char *svg = take_picture(report_write_recipes, recipes_text);
    assert_int_equal(times(svg, " of 2: "), 4);
    assert_non_null(strstr(svg, "a&lt;b, seed 2 of 2: 97.00 %"));
    assert_int_equal(times(svg, "class=\"line s"), 2);
    base_free(svg);
}

static void damaged_recipes_leave_no_picture(void **state) {
    (void)state;
    static const char *const wrong[] = {
        "{\"recipes\": []}", "{\"recipes\": [{\"recipe\": \"a\", \"packed\": {\"mean\": 0.5}}]}",
        "{\"recipes\": [{\"recipe\": \"a\", \"packed\": {\"mean\": 2}, \"packed_by_seed\": [1]}]}",
        "{\"recipes\": [{\"packed\": {\"mean\": 0.5}, \"packed_by_seed\": [\"x\"]}]}"};
    refuses_cuts(report_write_recipes, recipes_text);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(draw(report_write_recipes, wrong[i], strlen(wrong[i])), ADMMNN_CORRUPT);
    assert_null(file_take("p.svg"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(boxes_are_above_the_optimum),
        cmocka_unit_test(lines_take_the_best_setting),
        cmocka_unit_test(cut_experiments_leave_no_picture),
        cmocka_unit_test(a_dot_a_seed_and_a_line_at_the_mean),
        cmocka_unit_test(damaged_recipes_leave_no_picture),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
