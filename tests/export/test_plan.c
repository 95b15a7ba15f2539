/* How many numbers the C code's buffer has. */
#include "export/plan.h"
#include "support.h"

static void values_take_what_is_in_use_at_once(void **state) {
    (void)state;
    pack_model *packed = random_model(chain_of_products(), (filling){ADMM_LEVELS_EQUAL, 4, 0.1}, 1);
    float *params = base_array(packed->g->flat_count, sizeof *params);
    export_plan plan;
    pack_model_values(packed, params);
    MUST(export_plan_make(packed->g, params, false, &plan, err));
    assert_int_equal(plan.count, CHAIN_AT_ONCE);
    export_plan_free(&plan);
    base_free(params);
    pack_model_free(packed);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_take_what_is_in_use_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
