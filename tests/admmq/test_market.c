/* Matrix Market files, right ones and wrong ones. */
#include "support.h"

#include "admmq/market.h"

static void both_kinds_give_both_triangles(void **state) {
    (void)state;
    static const char *const texts[] = {
        "%%MatrixMarket matrix coordinate real symmetric\n% a comment\n\n3 3 4\n"
        "1 1 2\n2 1 -1.5\n3 3 4e0\n3 2 0.25\n",
        "%%matrixmarket MATRIX Coordinate Real General\r\n3 3 6\r\n3 3 4\r\n1 1 2\r\n"
        "2 1 -1.5\r\n1 2 -1.5\r\n2 3 0.25\r\n  3 2 0.25",
    };
    static const size_t start[] = {0, 2, 4, 6};
    static const uint32_t column[] = {0, 1, 0, 2, 1, 2};
    static const double value[] = {2, -1.5, -1.5, 0.25, 0.25, 4};
    for (size_t t = 0; t < 2; t++) {
        market_matrix m;
        MUST(market_parse("q.mtx", texts[t], &m, err));
        assert_true(m.dimension == 3);
        assert_memory_equal(m.start, start, sizeof start);
        assert_memory_equal(m.column, column, sizeof column);
        assert_memory_equal(m.value, value, sizeof value);
        market_free(&m);
    }
}

static void rows_may_be_empty(void **state) {
    (void)state;
    market_matrix m;
    static const size_t start[] = {0, 0, 1, 1, 1};
    MUST(market_parse("q.mtx", "%%MatrixMarket matrix coordinate integer symmetric\n4 4 1\n2 2 7\n",
                      &m, err));
    assert_memory_equal(m.start, start, sizeof start);
    market_free(&m);
}

#define BANNER "%%MatrixMarket matrix coordinate real symmetric\n"

static void damage_is_named(void **state) {
    (void)state;
    static const struct {
        const char *text, *word;
        admmnn_status status;
    } cases[] = {
        {"", "not a Matrix Market file", ADMMNN_CORRUPT},
        {"%%MatrixMarkets matrix coordinate real general\n", "not a Matrix", ADMMNN_CORRUPT},
        {"%%MatrixMarket matrix array real general\n2 2\n", "coordinate", ADMMNN_UNSUPPORTED},
        {"%%MatrixMarket matrix coordinate complex general\n", "real", ADMMNN_UNSUPPORTED},
        {"%%MatrixMarket matrix coordinate real hermitian\n", "general", ADMMNN_UNSUPPORTED},
        {BANNER, "line 2", ADMMNN_CORRUPT},
        {BANNER "2 3 1\n1 1 1\n", "not square", ADMMNN_CORRUPT},
        {BANNER "0 0 0\n", "empty", ADMMNN_CORRUPT},
        {BANNER "2 2 99\n1 1 1\n", "more rows or entries", ADMMNN_CORRUPT},
        {BANNER "4000000000 4000000000 1\n1 1 1\n", "more rows", ADMMNN_CORRUPT},
        {BANNER "2 2 99999999999999999999999\n", "line 2", ADMMNN_CORRUPT},
        {BANNER "2 2 2\n1 1 1.00000\n", "line 4", ADMMNN_CORRUPT},
        {BANNER "2 2 1\n1 1\n5 5 5\n", "line 3", ADMMNN_CORRUPT},
        {BANNER "2 2 1\n3 1 1\n", "outside", ADMMNN_CORRUPT},
        {BANNER "2 2 1\n0 1 1\n", "outside", ADMMNN_CORRUPT},
        {BANNER "2 2 1\n1 1 nan\n", "finite", ADMMNN_CORRUPT},
        {BANNER "1 1 1\n1 1 \v\n5\n", "line 3", ADMMNN_CORRUPT},
        {BANNER "2 2 1\n1 1 1 1\n", "line 3", ADMMNN_CORRUPT},
        {BANNER "2 2 1\n1 1 1\n2 2 2\n", "nothing is expected", ADMMNN_CORRUPT},
        {BANNER "2 2 2\n2 1 1\n1 2 1\n", "twice", ADMMNN_CORRUPT},
    };
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        market_matrix m;
        admmnn_error err;
        assert_int_equal(market_parse("q.mtx", cases[c].text, &m, &err), cases[c].status);
        if (strstr(err.message, cases[c].word) == NULL || strstr(err.message, "q.mtx") == NULL)
            fail_msg("case %zu: '%s' without '%s'", c, err.message, cases[c].word);
        market_free(&m);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_kinds_give_both_triangles),
        cmocka_unit_test(rows_may_be_empty),
        cmocka_unit_test(damage_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
