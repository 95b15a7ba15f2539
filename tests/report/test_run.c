/* The run's page: its figures are there, text is escaped, nothing comes from
 * outside, and missing, wrong or cut input never gives a broken page. */
#include "support.h"

#include <math.h>

#include "report/papers.h"
#include "report/report.h"
#include "report/text.h"

#define MNIST "eeac857521c3e028f2786f2d6838cf339ece6b0872940d32c58bca7572cf0c9e"

static const char result_text[] =
    "{\"data_sha256\": \"" MNIST
    "\", \"recipe\": \"recipes/lenet5-mnist.yaml\", \"model\": \"lenet-5\", \"seed\": 7, "
    "\"threads\": "
    "2,"
    "\"accuracy\": {\"dense\": 0.9946, \"pruned\": 0.9942, \"compressed\": 0.9931, \"packed\": "
    "0.9932},"
    "\"ratio\": {\"pruning\": 85.84, \"data_only\": 1163.4, \"relative_indices\": 292.1, "
    "\"with_indices\": 354.7, \"file\": "
    "310.2},"
    "\"bytes\": {\"dense_fp32\": 1722000, \"data\": 1481, \"relative_indices\": 5897, "
    "\"with_indices\": 4855, \"file\": 5560,"
    " \"values\": 1270, \"indices\": 3410, \"codebooks\": 40, \"scales\": 32, \"biases\": 520,"
    " \"header\": 288, \"dense_zstd\": 1590233, \"int8_zstd\": 330112},"
    "\"seconds\": {\"DENSE\": 60, \"total\": 523},"
    "\"layers\": [{\"name\": \"conv1\", \"weights\": 500, \"kept\": 250, \"rows\": 20, "
    "\"columns\": 25,"
    " \"bits\": 3, \"index_bits\": 2, \"index_entries\": 250, \"bytes\": 260,"
    " \"positions\": \"context\", \"values\": \"range\"},"
    "{\"name\": \"fc1\", \"weights\": 400000, \"kept\": 2495, \"rows\": 391, \"columns\": 612,"
    " \"bits\": 2, \"index_bits\": 9, \"index_entries\": 2495, \"bytes\": 2480,"
    " \"positions\": \"context\", \"values\": \"range\"}]}";

#define EPOCH(stage, round, epoch, accuracy)                                                       \
    "{\"kind\":\"epoch\",\"stage\":\"" stage "\",\"round\":" #round ",\"epoch\":" #epoch           \
    ",\"train_loss\":0.05,\"train_accuracy\":0.98,\"validation_loss\":0.04,"                       \
    "\"validation_accuracy\":" #accuracy "}\n"
#define RESIDUAL(iteration, layer, primal, dual)                                                   \
    "{\"kind\":\"residual\",\"stage\":\"ADMM pruning\",\"round\":0,\"iteration\":" #iteration      \
    ",\"layer\":\"" layer "\",\"rho\":1e-4,\"primal\":" #primal ",\"dual\":" #dual                 \
    ",\"w_norm\":1,\"z_norm\":1}\n"
#define EVENT(event, accuracy)                                                                     \
    "{\"kind\":\"event\",\"stage\":\"ADMM pruning\",\"round\":0,\"event\":\"" event                \
    "\",\"validation_loss\":0.1,\"validation_accuracy\":" #accuracy "}\n"
#define LAYER(layer, kept)                                                                         \
    "{\"kind\":\"layer\",\"stage\":\"ADMM pruning\",\"round\":0,\"layer\":\"" layer                \
    "\",\"kept\":" #kept ",\"bits\":0}\n"

static const char log_text[] = EPOCH("dense training", 0, 0, 0.97)
    EPOCH("dense training", 0, 1, 0.99) EPOCH("ADMM pruning", 0, 0, 0.988)
        RESIDUAL(0, "conv1", 2.5, 1e-4) RESIDUAL(0, "fc1", 4, 3e-4)
            EPOCH("ADMM pruning", 0, 1, 0.987) RESIDUAL(1, "conv1", 1.5, 2e-4)
                RESIDUAL(1, "fc1", 2, 0) EVENT("before projection", 0.9871)
                    EVENT("after projection", 0.6123) LAYER("conv1", 250) LAYER("fc1", 3755)
                        EPOCH("masked retraining", 0, 0, 0.991) EVENT("after retraining", 0.9917);

/* The page of these figures, checked to be well-formed; base_free. */
static char *page_of(const char *result, size_t result_size, const char *log, size_t log_size) {
    admmnn_error err = {0};
    admmnn_status status = report_write_run(folder, result, result_size, log, log_size, &err);
    if (status != ADMMNN_OK)
        fail_msg("report_write_run: %s", err.message);
    char *page = file_take("report.html");
    assert_non_null(page);
    const char *wrong = xml_wrong(page);
    if (wrong != NULL)
        fail_msg("the page is not well-formed: %s", wrong);
    return page;
}

static char *page_of_text(const char *result, const char *log) {
    return page_of(result, strlen(result), log, strlen(log));
}

/* The sample's result with one text replaced by another; base_free. */
static char *with(const char *from, const char *to) {
    const char *at = strstr(result_text, from);
    assert_non_null(at);
    size_t before = (size_t)(at - result_text);
    char *out = base_array(sizeof result_text + strlen(to), 1);
    assert_non_null(out);
    memcpy(out, result_text, before);
    strcpy(out + before, to);
    strcat(out, at + strlen(from));
    return out;
}

/* The page from this text on, up to the end of the next plot. */
static char *plot_of(const char *page, const char *title) {
    const char *begin = strstr(page, title);
    assert_non_null(begin);
    const char *end = strstr(begin, "</svg>");
    assert_non_null(end);
    char *plot = base_array((size_t)(end - begin) + 1, 1);
    memcpy(plot, begin, (size_t)(end - begin));
    plot[end - begin] = 0;
    return plot;
}

static void the_checker_finds_what_is_broken(void **state) {
    (void)state;
    assert_null(xml_wrong("<a b=\"1\"><c/>x &amp; y</a>"));
    static const char *const broken[] = {
        "<a>",      "<a></b>",  "<a b=1></a>", "<a b=\"1\" b=\"2\"/>",
        "<a>&</a>", "<a/><b/>", "<a>x</a>y",   "<a b=\"<\"/>",
        ""};
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++)
        assert_non_null(xml_wrong(broken[i]));
}

static void figures_are_on_the_page(void **state) {
    (void)state;
    char *page = page_of_text(result_text, log_text);
    static const char *const figures[] = {
        "99.32 %",           "85.8\u00D7", "1,163\u00D7",     "292\u00D7",      "310\u00D7",
        "5,560 B",           "8.7 min",    "Ren et al. 2018", "85.0\u00D7",     "1,590,233 B",
        "391 \u00D7 612",    "50.00 %",    "61.3 %",          "98.71 %",        "61.23 %",
        "99.17 %",           "100\u00D7",  "4,005",           "dense training", "masked retraining",
        "lenet5-mnist.yaml", "seed 7"};
    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++)
        if (strstr(page, figures[i]) == NULL)
            fail_msg("'%s' is not on the page", figures[i]);
    assert_int_equal(times(page, "<svg"), 6); /* the curves twice, for wide and narrow */
    assert_int_equal(times(page, "<h2>"), 6);
    assert_int_equal(times(page, "class=\"card\""), 8); /* rows of four, or of two */
    const char *written = strstr(page, "Written by admmnn ");
    assert_non_null(written);
    assert_true(isdigit((unsigned char)written[strlen("Written by admmnn ")]));
    assert_int_equal(times(page, "right after the projection: 61.23 %"), 2);
    base_free(page);
}

/* The published row of the largest ratio reached, else the least. */
static void the_row_is_the_goal_s(void **state) {
    (void)state;
    static const struct {
        const char *model;
        double reached, published;
    } cases[] = {{"lenet-5", 5, 71.2},        {"lenet-5", 70.6, 71.2}, {"lenet-5", 84.1, 71.2},
                 {"lenet-5", 84.2, 85},       {"lenet-5", 89.6, 85},   {"lenet-5", 165, 85},
                 {"lenet-5", 166, 167},       {"lenet-5", 177, 167},   {"lenet-5", 1e9, 167},
                 {"lenet-5", NAN, 71.2},      {"lenet-5", -1, 71.2},   {"lenet-300-100", 2, 22.9},
                 {"lenet-300-100", 100, 22.9}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const report_paper *paper = report_paper_find(MNIST, cases[i].model, cases[i].reached);
        assert_non_null(paper);
        assert_string_equal(paper->model, cases[i].model);
        assert_true(paper->pruning == cases[i].published);
        assert_true((paper->data_only > 0) == (paper->pruning == 167));
    }
    assert_null(report_paper_find(MNIST, "lenet", 85));
    char *result = with("\"pruning\": 85.84", "\"pruning\": 177.1");
    char *page = page_of_text(result, log_text);
    assert_non_null(strstr(page, "1,910\u00D7"));
    assert_non_null(strstr(page, "167\u00D7"));
    base_free(page);
    base_free(result);
}

/* The papers' networks learnt MNIST: their accuracies say nothing of other images. */
static void other_data_have_no_row(void **state) {
    (void)state;
    static const char *const others[] = {
        "", "\u00E9", "1eac857521c3e028f2786f2d6838cf339ece6b0872940d32c58bca7572cf0c9e",
        MNIST "0"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_null(report_paper_find(others[i], "lenet-5", 85));
    char *page = page_of_text(result_text, log_text);
    assert_non_null(strstr(page, "On MNIST, recipe recipes/lenet5-mnist.yaml"));
    assert_non_null(strstr(page, "99.20 %"));
    assert_non_null(strstr(page, "Beside the published figures"));
    base_free(page);
    char *result = with(MNIST, "50feda7ac99186c18f157c91490cebc5");
    page = page_of_text(result, log_text);
    assert_non_null(strstr(page, "On data 50feda7ac991, recipe"));
    assert_null(strstr(page, "et al."));
    assert_null(strstr(page, "99.20 %"));
    assert_non_null(strstr(page, "The run&#39;s figures"));
    /* Head and rows have as many cells. */
    char *table = plot_of(page, "The run&#39;s figures");
    *strstr(table, "</table>") = 0;
    assert_int_equal(times(table, "<th"), 3);
    assert_int_equal(times(table, "<td"), 3 * (times(table, "<tr>") - 1));
    base_free(table);
    base_free(page);
    base_free(result);
}

/* The papers count relative indices; what this file stores is another thing. */
static void published_indices_stand_beside_the_same_count(void **state) {
    (void)state;
    char *result = with("\"pruning\": 85.84", "\"pruning\": 177.1");
    char *page = page_of_text(result, log_text);
    assert_int_equal(times(page, "623\u00D7"), 1);
    assert_int_equal(times(page, "2,796 B"), 1); /* 2.73 KiB */
    assert_non_null(strstr(page,
                           "Data with relative indices</td><td class=\"\">292\u00D7</td>"
                           "<td class=\"\">623\u00D7</td>"));
    assert_non_null(strstr(page, "5,897 B</td><td class=\"\">2,796 B</td>"));
    assert_non_null(strstr(page,
                           "Data with indices, as stored</td><td class=\"\">355\u00D7</td>"
                           "<td class=\"\"></td>"));
    base_free(page);
    base_free(result);
}

static void nothing_comes_from_outside(void **state) {
    (void)state;
    char *page = page_of_text(result_text, log_text);
    assert_int_equal(times(page, "http"), times(page, "xmlns=\"http://www.w3.org/2000/svg\""));
    assert_int_equal(times(page, "url("), times(page, "url(#"));
    static const char *const loaders[] = {"src=", "href=", "<script", "<link", "@import", "<img"};
    for (size_t i = 0; i < sizeof loaders / sizeof loaders[0]; i++)
        assert_null(strstr(page, loaders[i]));
    base_free(page);
}

static void pages_are_the_same_twice(void **state) {
    (void)state;
    char *first = page_of_text(result_text, log_text);
    char *second = page_of_text(result_text, log_text);
    assert_string_equal(first, second);
    base_free(first);
    base_free(second);
}

static void escaping(void **state) {
    (void)state;
    static const struct {
        const char *text, *escaped;
    } cases[] = {
        {"plain", "plain"},
        {"<a href=\"x\">&'", "&lt;a href=&quot;x&quot;&gt;&amp;&#39;"},
        {"\u03C1 \u2016 \U0001F600", "\u03C1 \u2016 \U0001F600"},
        {"\x01\t\x7F", "\uFFFD\uFFFD\uFFFD"},
        {"\xFF\xC0\xAF", "\uFFFD\uFFFD\uFFFD"},           /* no lead byte; overlong */
        {"\xED\xA0\x80", "\uFFFD\uFFFD\uFFFD"},           /* a surrogate */
        {"\xF4\x90\x80\x80", "\uFFFD\uFFFD\uFFFD\uFFFD"}, /* beyond the last */
        {"\xEF\xBF\xBF", "\uFFFD\uFFFD\uFFFD"},           /* no character */
        {"\xE2\x82", "\uFFFD\uFFFD"},                     /* cut short */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        base_writer out = {0};
        report_escape(&out, cases[i].text);
        base_write_u8(&out, 0);
        assert_false(out.failed);
        assert_string_equal((char *)out.bytes, cases[i].escaped);
        base_writer_free(&out);
    }
}

static void hostile_names_stay_text(void **state) {
    (void)state;
    static const char hostile[] = "<script>alert(1)</script>&\\\"'";
    static const char *const places[] = {"lenet-5\"", "recipes/lenet5-mnist.yaml\"", "conv1\"",
                                         "context\"", "range\""};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        char to[64];
        snprintf(to, sizeof to, "%s\"", hostile);
        char *result = with(places[i], to);
        char *page = page_of_text(result, "");
        assert_null(strstr(page, "<script"));
        assert_non_null(strstr(page, "&lt;script&gt;alert(1)"));
        base_free(page);
        base_free(result);
    }
    char log[2048];
    snprintf(log, sizeof log,
             "{\"kind\":\"epoch\",\"stage\":\"%s\",\"validation_accuracy\":0.5,"
             "\"train_accuracy\":0.4,\"train_loss\":1,\"validation_loss\":2}\n"
             "{\"kind\":\"residual\",\"stage\":\"%s\",\"layer\":\"%s\",\"primal\":1,\"dual\":2}\n"
             "{\"kind\":\"event\",\"stage\":\"%s\",\"event\":\"after projection to levels\","
             "\"validation_accuracy\":0.25}\n",
             hostile, hostile, hostile, hostile);
    char *page = page_of_text(result_text, log);
    assert_null(strstr(page, "<script"));
    assert_true(times(page, "&lt;script&gt;") >= 4);
    base_free(page);
}

static void a_missing_part_is_an_absent_panel(void **state) {
    (void)state;
    static const struct {
        const char *from, *to, *gone;
    } cases[] = {
        {"\"accuracy\"", "\"x\"", "Beside the published figures"},
        {"\"ratio\": {", "\"ratio\": 3, \"x\": {", "Beside the published figures"},
        {"\"layers\": [", "\"x\": [", "By layer"},
        {"\"layers\": [", "\"layers\": \"none\", \"x\": [", "By layer"},
        {"\"bytes\": {\"dense", "\"x\": {\"dense", "bytes go"},
        {"\"seconds\"", "\"x\"", "for the whole run"},
        {"\"model\": \"lenet-5\"", "\"model\": 5", "Ren et al. 2018"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *result = with(cases[i].from, cases[i].to);
        char *page = page_of_text(result, log_text);
        if (strstr(page, cases[i].gone) != NULL)
            fail_msg("without %s the page still says '%s'", cases[i].from, cases[i].gone);
        base_free(page);
        base_free(result);
    }
    char *page = page_of_text("{}", "");
    assert_int_equal(times(page, "<h2>"), 0);
    assert_int_equal(times(page, "<svg"), 0);
    base_free(page);
}

static void lines_that_make_no_sense_are_counted(void **state) {
    (void)state;
    char *page = page_of_text(result_text,
                              "not json\n{\"kind\":\"other\"}\n[1,2]\n\n"
                              "{\"kind\":\"epoch\"}\n{\"kind\":\"resid");
    assert_non_null(strstr(page, "4 lines of the log could not be read."));
    base_free(page);
}

static void numbers_out_of_reason_are_not_drawn(void **state) {
    (void)state;
    static const char *const numbers[] = {"1e308",  "-1e308", "1e999", "-1", "0",
                                          "1e-320", "null",   "\"x\"", "{}"};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        char log[4096];
        const char *n = numbers[i];
        snprintf(log, sizeof log,
                 "{\"kind\":\"epoch\",\"stage\":\"s\",\"round\":%s,\"epoch\":%s,\"train_loss\":%s,"
                 "\"train_accuracy\":%s,\"validation_loss\":%s,\"validation_accuracy\":%s}\n"
                 "{\"kind\":\"residual\",\"stage\":\"s\",\"round\":%s,\"iteration\":%s,"
                 "\"layer\":\"l\",\"primal\":%s,\"dual\":%s}\n"
                 "{\"kind\":\"event\",\"stage\":\"s\",\"round\":%s,\"event\":\"before projection\","
                 "\"validation_accuracy\":%s}\n{\"kind\":\"layer\",\"layer\":\"l\",\"kept\":%s}\n",
                 n, n, n, n, n, n, n, n, n, n, n, n, n);
        char replaced[64];
        snprintf(replaced, sizeof replaced, "\"kept\": %s, \"x\": 250, \"rows\"", n);
        char *result = with("\"kept\": 250, \"rows\"", replaced);
        char *page = page_of_text(result, log);
        assert_null(strstr(page, ">nan"));
        assert_null(strstr(page, "\"nan"));
        assert_null(strstr(page, " nan"));
        assert_null(strstr(page, "inf "));
        assert_null(strstr(page, "-nan"));
        base_free(page);
        base_free(result);
    }
}

/* A line of one point has no length; a dot tells where it is. */
static void one_iteration_is_a_dot(void **state) {
    (void)state;
    char *page =
        page_of_text(result_text, RESIDUAL(0, "conv1", 2.5, 1e-4) RESIDUAL(0, "fc1", 4, 3e-4));
    char *plot = plot_of(page, "Primal residual by iteration");
    assert_int_equal(times(plot, "<circle"), 2);
    base_free(plot);
    base_free(page);
    page = page_of_text(result_text, log_text);
    plot = plot_of(page, "Primal residual by iteration");
    assert_int_equal(times(plot, "<circle"), 0);
    base_free(plot);
    plot = plot_of(page, "Dual residual by iteration"); /* fc1's second is 0 */
    assert_int_equal(times(plot, "<circle"), 1);
    base_free(plot);
    base_free(page);
}

static void plots_have_colours_of_their_own(void **state) {
    (void)state;
    char *page = page_of_text(result_text, log_text);
    const char *wrong = svg_colourless(page);
    if (wrong != NULL)
        fail_msg("no colour: %.200s", wrong);
    base_free(page);
}

static void a_damaged_result_leaves_no_page(void **state) {
    (void)state;
    static const char *const damaged[] = {"", "[]", "3", "{", "{\"a\":", "nonsense"};
    for (size_t i = 0; i < sizeof damaged / sizeof damaged[0]; i++) {
        admmnn_error err = {0};
        assert_int_equal(report_write_run(folder, damaged[i], strlen(damaged[i]), "", 0, &err),
                         ADMMNN_CORRUPT);
        assert_non_null(strstr(err.message, "report.html"));
        assert_null(file_take("report.html"));
    }
    admmnn_error err = {0};
    assert_int_equal(report_write_run("/nowhere/at/all", "{}", 2, "", 0, &err), ADMMNN_IO);
}

/* Whatever is cut off, there is a whole page or an error. */
static void cut_input(void **state) {
    (void)state;
    for (size_t cut = 0; cut < sizeof result_text - 1; cut += 7) {
        char *bytes = base_array_copy(result_text, cut, 1); /* no zero after the last */
        assert_int_equal(report_write_run(folder, bytes, cut, "", 0, NULL), ADMMNN_CORRUPT);
        base_free(bytes);
    }
    for (size_t cut = 0; cut < sizeof log_text - 1; cut += 13) {
        char *bytes = base_array_copy(log_text, cut, 1);
        base_free(page_of(result_text, sizeof result_text - 1, bytes, cut));
        base_free(bytes);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_checker_finds_what_is_broken),
        cmocka_unit_test(figures_are_on_the_page),
        cmocka_unit_test(the_row_is_the_goal_s),
        cmocka_unit_test(other_data_have_no_row),
        cmocka_unit_test(published_indices_stand_beside_the_same_count),
        cmocka_unit_test(nothing_comes_from_outside),
        cmocka_unit_test(pages_are_the_same_twice),
        cmocka_unit_test(escaping),
        cmocka_unit_test(hostile_names_stay_text),
        cmocka_unit_test(a_missing_part_is_an_absent_panel),
        cmocka_unit_test(lines_that_make_no_sense_are_counted),
        cmocka_unit_test(numbers_out_of_reason_are_not_drawn),
        cmocka_unit_test(one_iteration_is_a_dot),
        cmocka_unit_test(plots_have_colours_of_their_own),
        cmocka_unit_test(a_damaged_result_leaves_no_page),
        cmocka_unit_test(cut_input),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
