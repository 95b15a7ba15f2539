/* The picture of a comparison and the axes under every plot. */
#include "support.h"

#include <math.h>

#include "report/report.h"
#include "report/svg.h"

#define POINT(kept, mean, deviation)                                                               \
    "{\"kept\": {\"mean\": " #kept "}, \"test_accuracy\": {\"mean\": " #mean                       \
    ", \"deviation\": " #deviation "}}"

static const char comparison_text[] =
    "{\"model\": \"lenet-5\", \"weights\": 430500, \"seeds\": 5, \"methods\": ["
    "{\"method\": \"start\", \"label\": \"dense start\", \"points\": [" POINT(430500, 0.99, 0) "]},"
    "{\"method\": \"dense\", \"label\": \"dense\", \"points\": [" POINT(430500, 0.9945, 0.0003) "]},"
    "{\"method\": \"admm\", \"label\": \"ADMM <&>\", \"points\": ["
    POINT(5000, 0.9935, 0.0004) "," POINT(22000, 0.9942, 0.0002) "]},"
    "{\"method\": \"random\", \"label\": \"random\", \"points\": ["
    POINT(22000, 0.95, 0.02) "," POINT(5000, 0.1, 0.2) "]}]}";

static admmnn_status draw(const char *text, size_t size, admmnn_error *err) {
    char path[BASE_PATH_MAX];
    assert_int_equal(base_path_join(path, sizeof path, folder, "c.svg", NULL), ADMMNN_OK);
    return report_write_comparison(path, text, size, err);
}

/* Height of the dot whose tip begins with the text; larger is lower. */
static double dot_height(const char *svg, const char *tip) {
    const char *at = strstr(svg, tip);
    assert_non_null(at);
    while (strncmp(at, "cy=\"", 4) != 0)
        at--;
    return atof(at + 4);
}

static void a_line_and_a_band_a_method(void **state) {
    (void)state;
    admmnn_error err = {0};
    if (draw(comparison_text, sizeof comparison_text - 1, &err) != ADMMNN_OK)
        fail_msg("report_write_comparison: %s", err.message);
    char *svg = file_take("c.svg");
    assert_non_null(svg);
    assert_null(xml_wrong(svg));
    assert_int_equal(times(svg, "<path clip-path=\"url(#clip0)\" class=\"band"), 3);
    assert_int_equal(times(svg, "<path clip-path=\"url(#clip0)\" class=\"line s"), 2);
    assert_int_equal(times(svg, "<path clip-path=\"url(#clip0)\" class=\"line dash"), 1);
    assert_int_equal(times(svg, "<circle"), 4);
    assert_null(strstr(svg, "dense start"));
    assert_non_null(strstr(svg, "lenet-5: accuracy against compression, 5 seeds"));
    assert_non_null(strstr(svg, "ADMM &lt;&amp;&gt;: 86.1\u00D7, 99.35 % \u00B1 0.04"));
    double best = dot_height(svg, "ADMM &lt;&amp;&gt;: 19.6");
    double second = dot_height(svg, "ADMM &lt;&amp;&gt;: 86.1");
    double third = dot_height(svg, "random: 19.6");
    double last = dot_height(svg, "random: 86.1");
    assert_true(best < second && second < third && third < last);
    base_free(svg);
}

/* Readers that know no variables, as librsvg, drew the picture in black. */
static void colours_are_there_without_a_style_sheet(void **state) {
    (void)state;
    assert_null(svg_colourless("<svg><g fill=\"#000\"><path d=\"\"/></g></svg>"));
    assert_non_null(svg_colourless("<svg><g fill=\"#000\"></g><path d=\"\"/></svg>"));
    assert_non_null(svg_colourless("<svg><path d=\"\"/><path fill=\"#000\"/></svg>"));
    assert_int_equal(draw(comparison_text, sizeof comparison_text - 1, NULL), ADMMNN_OK);
    char *svg = file_take("c.svg");
    const char *wrong = svg_colourless(svg);
    if (wrong != NULL)
        fail_msg("no colour: %.200s", wrong);
    assert_null(strstr(svg, "var("));
    assert_non_null(strstr(svg, " fill=\"none\" stroke=\"#0b6bcb\" stroke-width=\"2\""));
    /* The style sheet speaks of the dark and of nothing else. */
    const char *style = strstr(svg, "<style>");
    const char *dark = strstr(svg, "<style>\n@media(prefers-color-scheme:dark){");
    assert_true(style != NULL && style == dark);
    assert_int_equal(times(svg, "@media"), 1);
    base_free(svg);
}

static void damaged_figures_leave_no_picture(void **state) {
    (void)state;
    for (size_t cut = 0; cut < sizeof comparison_text - 1; cut += 5) {
        char *bytes = base_array_copy(comparison_text, cut, 1);
        assert_int_equal(draw(bytes, cut, NULL), ADMMNN_CORRUPT);
        base_free(bytes);
    }
    static const char *const wrong[] = {
        "{}",
        "{\"weights\": 5, \"seeds\": 1, \"methods\": []}",
        "{\"weights\": 5, \"seeds\": 1, \"methods\": [{\"points\": [{}]}]}",
        "{\"weights\": 0, \"methods\": [{\"points\": [" POINT(1, 0.5, 0) "]}]}",
        "{\"weights\": 5, \"methods\": [{\"points\": [" POINT(-1, 0.5, 0) "]}]}",
        "{\"weights\": 5, \"methods\": [{\"points\": [" POINT(1, 1.5, 0) "]}]}",
        "{\"weights\": 5, \"methods\": [{\"points\": [" POINT(1, 0.5, -1) "]}]}",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(draw(wrong[i], strlen(wrong[i]), NULL), ADMMNN_CORRUPT);
    assert_null(file_take("c.svg"));
}

/* A network without a weight is at no ratio an axis has. */
static void a_point_that_keeps_nothing_is_left_out(void **state) {
    (void)state;
    static const char some[] =
        "{\"weights\": 5, \"seeds\": 1, \"model\": \"m\", \"methods\": "
        "[{\"label\": \"x\", \"points\": [" POINT(0, 0.1, 0) "," POINT(1, 0.5, 0) "]}]}";
    static const char none[] =
        "{\"weights\": 5, \"seeds\": 1, \"model\": \"m\", \"methods\": "
        "[{\"label\": \"x\", \"points\": [" POINT(0, 0.1, 0) "]}]}";
    assert_int_equal(draw(some, sizeof some - 1, NULL), ADMMNN_OK);
    char *svg = file_take("c.svg");
    assert_int_equal(times(svg, "<circle"), 1);
    base_free(svg);
    assert_int_equal(draw(none, sizeof none - 1, NULL), ADMMNN_OK);
    svg = file_take("c.svg");
    assert_int_equal(times(svg, "<circle"), 0);
    assert_null(strstr(svg, "nan"));
    base_free(svg);
}

static svg_plot plot_of(svg_scale scale, double least, double most) {
    svg_plot plot = {.left = 100, .right = 300, .top = 20, .bottom = 120, .y = {.scale = scale}};
    svg_axis_fit(&plot.y, least, most);
    svg_axis_integers(&plot.x, 1, 10);
    return plot;
}

/* A scale is a straight line in its own measure: a value whose measure is halfway
 * between two others lies halfway, for logarithms their geometric mean. */
static void scales_against_closed_forms(void **state) {
    (void)state;
    svg_plot linear = plot_of(SVG_LINEAR, 3, 47);
    svg_plot log = plot_of(SVG_LOG, 1e-5, 7e3);
    svg_plot accuracy = plot_of(SVG_ACCURACY, 0.2, 0.999);
    assert_true(fabs(svg_y(&linear, 20) - (svg_y(&linear, 10) + svg_y(&linear, 30)) / 2) < 1e-9);
    assert_true(fabs(svg_y(&log, 2) - (svg_y(&log, 0.004) + svg_y(&log, 1000)) / 2) < 1e-9);
    /* errors 0.4, 0.04 and 0.004 */
    double middle = (svg_y(&accuracy, 0.6) + svg_y(&accuracy, 0.996)) / 2;
    assert_true(fabs(svg_y(&accuracy, 0.96) - middle) < 1e-9);
    assert_true(svg_y(&accuracy, 0.996) < svg_y(&accuracy, 0.96));
    assert_true(svg_y(&linear, -1e9) == 120 && svg_y(&linear, 1e9) == 20);
    assert_true(fabs(svg_x(&linear, 1) - 110) < 1e-9 && fabs(svg_x(&linear, 10) - 290) < 1e-9);
}

static bool is_round(double value, svg_scale scale) {
    double shown = scale == SVG_ACCURACY ? 100 * value : value;
    char text[32];
    snprintf(text, sizeof text, "%.6g", shown);
    return fabs(atof(text) - shown) <= 1e-9 * fabs(shown) + 1e-12;
}

/* Over many ranges: ticks rise, lie between the ends, are round, and there are
 * some, but not so many that they run together. */
static void ticks_are_round_and_few(void **state) {
    (void)state;
    const svg_scale scales[] = {SVG_LINEAR, SVG_LOG, SVG_ACCURACY};
    for (size_t s = 0; s < 3; s++)
        for (int i = 0; i < 40; i++)
            for (int k = 0; k < 30; k++) {
                double least = scales[s] == SVG_ACCURACY ? i / 40.0 : pow(10, i / 3.0 - 6);
                double most = scales[s] == SVG_ACCURACY ? least + (1 - least) * k / 30
                                                        : least * pow(10, k / 4.0);
                svg_plot plot = plot_of(scales[s], least, most);
                const svg_axis *axis = &plot.y;
                assert_in_range(axis->tick_count, 2, 20);
                for (size_t t = 0; t < axis->tick_count; t++) {
                    assert_true(is_round(axis->ticks[t], scales[s]));
                    assert_true(t == 0 || axis->ticks[t] > axis->ticks[t - 1]);
                    double y = svg_y(&plot, axis->ticks[t]);
                    assert_true(y >= plot.top - 1e-6 && y <= plot.bottom + 1e-6);
                }
                assert_true(svg_y(&plot, most) <= svg_y(&plot, least));
            }
}

static void values_that_are_none_are_left_out(void **state) {
    (void)state;
    const double values[] = {NAN, INFINITY, 0, -5, 1e200, 4, 9};
    svg_axis axis = {.scale = SVG_LOG};
    assert_true(svg_axis_fit_values(&axis, values, 7));
    assert_true(axis.most < 1.1 && axis.least > 0.5); /* of 4 and 9, with their margins */
    assert_false(svg_axis_fit_values(&axis, values, 5));
    assert_true(axis.tick_count >= 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_and_a_band_a_method),
        cmocka_unit_test(colours_are_there_without_a_style_sheet),
        cmocka_unit_test(damaged_figures_leave_no_picture),
        cmocka_unit_test(a_point_that_keeps_nothing_is_left_out),
        cmocka_unit_test(scales_against_closed_forms),
        cmocka_unit_test(ticks_are_round_and_few),
        cmocka_unit_test(values_that_are_none_are_left_out),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
