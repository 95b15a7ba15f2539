/* quadratics.json:
 *   settings of the run, its seconds and operations;
 *   instances[]: what is known of each; held_out.instances[] likewise;
 *   methods[]: every setting with, by instance, quartiles over the starts; `best`, the
 *     number of the chosen one;
 *   tests[]: of the least medians of each method's settings, by instance;
 *   held_out.methods[], tests[]: of the chosen settings on other instances. */
#include <math.h>

#include "admmq/bench.h"
#include "base/json.h"

static void write_named(base_writer *out, const char *name, double value) {
    base_write_text(out, ", \"%s\": ", name);
    base_write_json_number(out, value);
}

static void write_instance(base_writer *out, const quadratics_instance *p) {
    base_write_text(out, "{\"optimum\": ");
    base_write_json_number(out, p->optimum);
    base_write_text(out, ", \"proven\": %s", p->proven ? "true" : "false");
    write_named(out, "nodes", (double)p->nodes);
    write_named(out, "continuous", p->continuous);
    write_named(out, "rounded", p->rounded);
    write_named(out, "lipschitz", p->lipschitz);
    base_write_text(out, "}");
}

static void write_instances(base_writer *out, const bench_table *table) {
    base_write_text(out, "\"instances\": [");
    for (size_t i = 0; i < table->instance_count; i++) {
        base_write_text(out, i == 0 ? "\n    " : ",\n    ");
        write_instance(out, &table->instances[i]);
    }
    base_write_text(out, "]");
}

/* One figure of a setting's quartiles over all instances. */
static void write_figure(base_writer *out, const bench_table *table, size_t setting,
                         const char *name, size_t offset) {
    base_write_text(out, ", \"%s\": [", name);
    for (size_t i = 0; i < table->instance_count; i++) {
        const bench_cell *cell = &table->cells[setting * table->instance_count + i];
        base_write_text(out, i == 0 ? "" : ", ");
        base_write_json_number(
            out, *(const double *)(const void *)((const char *)&cell->value + offset));
    }
    base_write_text(out, "]");
}

static void write_setting(base_writer *out, const bench_table *table, size_t s) {
    const bench_setting *setting = &table->settings[s];
    double diverged = 0;
    double iterations = 0;
    for (size_t i = 0; i < table->instance_count; i++) {
        diverged += table->cells[s * table->instance_count + i].diverged;
        iterations += table->cells[s * table->instance_count + i].iterations;
    }
    base_write_text(out, "{\"rho_relative\": %.17g", setting->rho_relative);
    if (setting->method == ADMMNN_METHOD_ADMM_S)
        write_named(out, "beta", setting->beta);
    if (setting->method == ADMMNN_METHOD_ADMM_R)
        write_named(out, "probability", setting->probability);
    write_named(out, "diverged", diverged);
    write_named(out, "iterations", iterations);
    write_figure(out, table, s, "least", offsetof(admmnn_quartiles, least));
    write_figure(out, table, s, "lower_quartile", offsetof(admmnn_quartiles, lower));
    write_figure(out, table, s, "median", offsetof(admmnn_quartiles, median));
    write_figure(out, table, s, "upper_quartile", offsetof(admmnn_quartiles, upper));
    write_figure(out, table, s, "greatest", offsetof(admmnn_quartiles, greatest));
    base_write_text(out, "}");
}

static void write_method(base_writer *out, const bench_table *table, admmnn_method method,
                         size_t best) {
    size_t first = SIZE_MAX;
    base_write_text(out, "{\"method\": \"%s\", ", admmnn_method_text(method));
    for (size_t s = 0; s < table->setting_count; s++) {
        if (table->settings[s].method != method)
            continue;
        if (first == SIZE_MAX) {
            first = s;
            base_write_text(out, "\"best\": %zu, \"settings\": [\n      ", best - first);
        } else {
            base_write_text(out, ",\n      ");
        }
        write_setting(out, table, s);
    }
    base_write_text(out, "]}");
}

static void write_tests(base_writer *out, const bench_pair *pairs) {
    base_write_text(out, ",\n  \"tests\": [");
    for (size_t p = 0; p < BENCH_PAIRS; p++)
        base_write_text(out,
                        "%s{\"a\": \"%s\", \"b\": \"%s\", \"a_lower\": %zu, \"equal\": %zu, "
                        "\"b_lower\": %zu, \"p\": %.6g}",
                        p == 0 ? "\n    " : ",\n    ", admmnn_method_text(pairs[p].a),
                        admmnn_method_text(pairs[p].b), pairs[p].test.below, pairs[p].test.equal,
                        pairs[p].test.above, pairs[p].test.p);
    base_write_text(out, "]");
}

static void write_table(base_writer *out, const bench_table *table, const size_t *best,
                        const bench_pair *pairs) {
    write_instances(out, table);
    base_write_text(out, ",\n  \"methods\": [");
    for (int m = 0; m < BENCH_METHODS; m++) {
        base_write_text(out, m == 0 ? "\n    " : ",\n    ");
        write_method(out, table, (admmnn_method)m, best[m]);
    }
    base_write_text(out, "]");
    write_tests(out, pairs);
}

static double iterations_of(const bench_table *table) {
    double sum = 0;
    for (size_t c = 0; c < table->setting_count * table->instance_count; c++)
        sum += table->cells[c].iterations;
    return sum;
}

void bench_write_json(const admmnn_quadratics_settings *s, const bench_result *r,
                      base_writer *out) {
    static const size_t own[BENCH_METHODS] = {0, 1, 2, 3, 4};
    const double iterations = iterations_of(&r->grid);
    base_write_text(out,
                    "{\"experiment\": \"quadratics\", \"dimension\": %u, \"instance_count\": "
                    "%u, \"starts\": %u",
                    s->dimension, s->instances, s->starts);
    write_named(out, "condition", s->condition);
    write_named(out, "spacing", s->spacing);
    base_write_text(out,
                    ", \"iterations\": %llu, \"pgd_iterations\": %llu, \"last\": %u, \"seed\": "
                    "%llu, \"threads\": %u,\n",
                    (unsigned long long)s->iterations, (unsigned long long)s->pgd_iterations,
                    s->last, (unsigned long long)s->seed, r->threads);
    base_write_text(out, "  \"seconds\": {\"grid\": %.6g, \"optima\": %.6g, \"held_out\": %.6g},\n",
                    r->grid.seconds, r->grid.exact_seconds + r->held_out.exact_seconds,
                    r->held_out.seconds);
    base_write_text(out, "  \"iterations_done\": %.17g, \"products_flop\": %.17g,\n  ", iterations,
                    iterations * 2 * s->dimension * s->dimension);
    write_table(out, &r->grid, r->best, r->grid_pairs);
    base_write_text(out, ",\n  \"held_out\": {");
    write_table(out, &r->held_out, own, r->held_out_pairs);
    base_write_text(out, "}\n}\n");
}
