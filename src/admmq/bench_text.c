#include <cjson/cJSON.h>
#include <math.h>
#include <string.h>

#include "admmnn/admmq.h"
#include "base/bytes.h"
#include "base/error.h"
#include "report/figures.h"

static double at(const cJSON *setting, const char *figure, int i) {
    const cJSON *value = cJSON_GetArrayItem(report_part(setting, figure), i);
    return cJSON_IsNumber(value) ? value->valuedouble : INFINITY;
}

static void write_chosen(base_writer *out, const cJSON *method) {
    const cJSON *setting =
        cJSON_GetArrayItem(report_part(method, "settings"), (int)report_number(method, "best"));
    base_write_text(out, "  %-8s rho/L %-7.3g", report_text(method, "method"),
                    report_number(setting, "rho_relative"));
    if (report_part(setting, "beta") != NULL)
        base_write_text(out, " beta %.3g", report_number(setting, "beta"));
    if (report_part(setting, "probability") != NULL)
        base_write_text(out, " probability %.3g", report_number(setting, "probability"));
    base_write_text(out, "\n");
}

/* A row an instance: the optimum, then each method's median and quartiles above it. */
static void write_rows(base_writer *out, const cJSON *part) {
    const cJSON *methods = report_part(part, "methods");
    const cJSON *instances = report_part(part, "instances");
    const cJSON *method;
    base_write_text(out, "\n  %8s %14s", "instance", "optimum");
    cJSON_ArrayForEach(method, methods)
        base_write_text(out, "  %28s", report_text(method, "method"));
    base_write_text(out, "\n");
    for (int i = 0; i < cJSON_GetArraySize(instances); i++) {
        const cJSON *instance = cJSON_GetArrayItem(instances, i);
        const double optimum = report_number(instance, "optimum");
        base_write_text(out, "  %8d %14.6g%s", i + 1, optimum,
                        cJSON_IsTrue(report_part(instance, "proven")) ? "" : "?");
        cJSON_ArrayForEach(method, methods) {
            const cJSON *setting = cJSON_GetArrayItem(report_part(method, "settings"), 0);
            base_write_text(out, "  %9.4g [%8.4g,%8.4g]",
                            report_gap(at(setting, "median", i), optimum),
                            report_gap(at(setting, "lower_quartile", i), optimum),
                            report_gap(at(setting, "upper_quartile", i), optimum));
        }
        base_write_text(out, "\n");
    }
}

static void write_tests(base_writer *out, const cJSON *part, const char *what) {
    const cJSON *test;
    base_write_text(out, "\nsigned-rank tests of the medians, %s\n", what);
    cJSON_ArrayForEach(test, report_part(part, "tests")) base_write_text(
        out, "  %-8s below %-8s %2.0f times, equal %2.0f, above %2.0f; p = %.3g\n",
        report_text(test, "a"), report_text(test, "b"), report_number(test, "a_lower"),
        report_number(test, "equal"), report_number(test, "b_lower"), report_number(test, "p"));
}

static void write_table(base_writer *out, const cJSON *root) {
    const cJSON *seconds = report_part(root, "seconds");
    const cJSON *held_out = report_part(root, "held_out");
    const cJSON *method;
    base_write_text(out,
                    "quadratics of %.0f coordinates, v = %g, spacing %g: %.0f instances, %.0f "
                    "starts\n",
                    report_number(root, "dimension"), report_number(root, "condition"),
                    report_number(root, "spacing"), report_number(root, "instance_count"),
                    report_number(root, "starts"));
    base_write_text(out,
                    "the grid took %.1f s on %.0f threads: %.3g iterations, %.3g GFLOP/s in "
                    "products\n\nchosen by the mean rank of their medians\n",
                    report_number(seconds, "grid"), report_number(root, "threads"),
                    report_number(root, "iterations_done"),
                    report_number(root, "products_flop") / report_number(seconds, "grid") / 1e9);
    cJSON_ArrayForEach(method, report_part(root, "methods")) write_chosen(out, method);
    base_write_text(out,
                    "\nthese on as many other instances: the median [quartiles] over the "
                    "starts, above the optimum (?: not proven)\n");
    write_rows(out, held_out);
    write_tests(out, held_out, "over these instances");
    write_tests(out, root,
                "over the first instances, each with its own best setting (as published)");
}

admmnn_status admmnn_quadratics_table(const char *folder, char **text, admmnn_error *err) {
    char *json;
    base_writer out = {0};
    BASE_TRY(admmnn_quadratics_json(folder, &json, err));
    cJSON *root = cJSON_Parse(json);
    admmnn_text_free(json);
    if (!cJSON_IsObject(root) || report_part(root, "held_out") == NULL) {
        cJSON_Delete(root);
        return base_fail(err, ADMMNN_CORRUPT, "%s: its quadratics.json is not one of admmnn",
                         folder);
    }
    write_table(&out, root);
    base_write_u8(&out, 0);
    cJSON_Delete(root);
    *text = (char *)out.bytes;
    return out.failed ? base_fail_memory(err, "the table") : ADMMNN_OK;
}
