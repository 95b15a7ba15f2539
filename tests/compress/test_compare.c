/* Comparisons on a tiny set: equal budgets, one dense start, figures that add up,
 * and the same bytes however often the work is stopped or killed. */
#include <math.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include <cjson/cJSON.h>

#include "admmnn/compress.h"
#include "base/memory.h"
#include "compress/compare_plan.h"
#include "instrumented.h"
#include "tiny_set.h"

#define TRAIN_IMAGES 200
#define TEST_IMAGES 100
#define SIDE 28
#define WEIGHTS 266200 /* of lenet-300-100 */

static char root[BASE_PATH_MAX];
static char recipe_path[BASE_PATH_MAX];

/* ---- the set ---- */

/* taught: what its stretches after the dense training say more. batch: between rounds. */
static void write_recipe(const char *path, const char *taught, unsigned batch, const char *more) {
    base_writer out = {0};
    base_write_text(&out,
                    "model: lenet-300-100\n"
                    "dataset: {format: idx, path: \"%s\", validation: 50}\n"
                    "backend: lanes\n"
                    "training: {epochs: 1, batch: 16}\n"
                    "prune:\n"
                    "  method: admm\n"
                    "  rounds: [4, 30]\n"
                    "  admm: {iterations: 1, epochs: 1, training: {batch: 16%s}}\n"
                    "  retrain: {epochs: 1, batch: %u%s}\n"
                    "  finish: {epochs: 1, batch: 16%s}\n%s",
                    root, taught, batch, taught, taught, more);
    assert_int_equal(base_file_write(path, out.bytes, out.count, NULL), ADMMNN_OK);
    base_writer_free(&out);
}

static int make_set(void **state) {
    (void)state;
    if (tiny_set_folder("compare", root) != 0)
        return -1;
    tiny_set_write(root, "train", TRAIN_IMAGES, SIDE, 1);
    tiny_set_write(root, "t10k", TEST_IMAGES, SIDE, 2);
    snprintf(recipe_path, sizeof recipe_path, "%.4000s/recipe.yaml", root);
    write_recipe(recipe_path, "", 16, "");
    return 0;
}

static int remove_set(void **state) {
    (void)state;
    tiny_set_remove(root);
    return 0;
}

/* ---- running ---- */

typedef struct watch {
    unsigned asked, stop_at; /* stop at the stop_at-th question; 0: never */
    double last;             /* of the whole comparison's progress */
    bool fell;
    unsigned answers; /* versions of the images that a teacher was asked about */
} watch;

static bool cancelled(void *user) {
    watch *w = user;
    return ++w->asked == w->stop_at;
}

static void progress(void *user, const admmnn_progress *p) {
    watch *w = user;
    w->fell = w->fell || p->run_done < w->last - 1e-9 || p->run_done > 1 + 1e-9;
    w->last = p->run_done;
    w->answers += strstr(p->task, "the teacher's answers") != NULL;
}

static void out_folder(const char *name, char path[BASE_PATH_MAX]) {
    assert_int_equal(base_path_join(path, BASE_PATH_MAX, root, name, NULL), ADMMNN_OK);
}

static admmnn_status compare(const char *name, admmnn_compare_settings settings, unsigned threads,
                             watch *w, admmnn_error *err) {
    char out[BASE_PATH_MAX];
    out_folder(name, out);
    settings.out = out;
    if (settings.recipe == NULL)
        settings.recipe = recipe_path;
    const admmnn_context context = {
        .threads = threads, .progress = progress, .cancelled = cancelled, .user = w};
    return admmnn_compare_run(&settings, &context, err);
}

static const admmnn_compare_settings whole = {.seeds = 2, .first_seed = 3, .resume = true};
static const admmnn_compare_settings few = {.seeds = 1,
                                            .first_seed = 3,
                                            .methods = "admm,gradual-per-layer,random",
                                            .ratios = "30",
                                            .resume = true};

static void compare_once(const char *name, admmnn_compare_settings settings) {
    char path[BASE_PATH_MAX];
    admmnn_error err = {0};
    watch w = {0};
    assert_int_equal(base_path_join(path, sizeof path, root, name, NULL), ADMMNN_OK);
    if (!base_folder_exists(path) && compare(name, settings, 1, &w, &err) != ADMMNN_OK)
        fail_msg("admmnn_compare_run: %s", err.message);
}

static char *read_text(const char *name) {
    char path[BASE_PATH_MAX];
    uint8_t *bytes = NULL;
    size_t count;
    admmnn_error err = {0};
    out_folder(name, path);
    if (base_file_read(path, 1 << 26, &bytes, &count, &err) != ADMMNN_OK)
        fail_msg("%s", err.message);
    return (char *)bytes;
}

static void same_file(const char *left, const char *right, const char *name) {
    char path[2][256];
    snprintf(path[0], sizeof path[0], "%.60s/%.180s", left, name);
    snprintf(path[1], sizeof path[1], "%.60s/%.180s", right, name);
    char *a = read_text(path[0]);
    char *b = read_text(path[1]);
    if (strcmp(a, b) != 0)
        fail_msg("%s and %s differ", path[0], path[1]);
    base_free(a);
    base_free(b);
}

/* All that the few runs of both folders left. */
static void same_results(const char *left, const char *right) {
    static const char *const points[] = {"start-seed-3", "admm-30x-seed-3",
                                         "gradual-per-layer-30x-seed-3", "random-30x-seed-3"};
    same_file(left, right, "comparison.json");
    same_file(left, right, "comparison.svg");
    for (size_t i = 0; i < sizeof points / sizeof points[0]; i++) {
        char name[128];
        snprintf(name, sizeof name, "comparison-runs/%s/point.json", points[i]);
        same_file(left, right, name);
        snprintf(name, sizeof name, "comparison-runs/%s/log.jsonl", points[i]);
        same_file(left, right, name);
    }
}

/* ---- figures ---- */

static const cJSON *at(const cJSON *object, const char *key) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    if (item == NULL)
        fail_msg("no '%s' in comparison.json", key);
    return item;
}

static double number(const cJSON *object, const char *key) {
    return at(object, key)->valuedouble;
}

/* Two runs a and b: mean (a + b) / 2, deviation |a - b| / sqrt(2). */
static void check_mean(const cJSON *point, const char *key) {
    const cJSON *runs = at(point, "runs");
    assert_int_equal(cJSON_GetArraySize(runs), 2);
    double a = number(cJSON_GetArrayItem(runs, 0), key);
    double b = number(cJSON_GetArrayItem(runs, 1), key);
    assert_true(fabs(number(at(point, key), "mean") - (a + b) / 2) < 1e-7 * (1 + fabs(a)));
    assert_true(fabs(number(at(point, key), "deviation") - fabs(a - b) / sqrt(2)) <
                1e-7 * (1 + fabs(a)));
}

static void check_point(const char *method, const cJSON *point, double ratio) {
    assert_true(number(point, "ratio") == ratio);
    check_mean(point, "kept");
    check_mean(point, "validation_accuracy");
    check_mean(point, "test_accuracy");
    const cJSON *run;
    cJSON_ArrayForEach(run, at(point, "runs")) {
        double kept = number(run, "kept");
        /* More goes where what is kept leads nowhere. */
        double most = floor(WEIGHTS / ratio) + 3; /* a weight a layer of rounding */
        bool dense = ratio == 1;
        if (dense ? kept != WEIGHTS : kept > most || kept < 1)
            fail_msg("%s at %g keeps %g", method, ratio, kept);
        double test = number(run, "test_accuracy") * TEST_IMAGES;
        double validation = number(run, "validation_accuracy") * 50;
        assert_true(fabs(test - round(test)) < 1e-6 && fabs(validation - round(validation)) < 1e-6);
    }
}

static void figures_add_up(void **state) {
    (void)state;
    compare_once("whole", whole);
    char *text = read_text("whole/comparison.json");
    cJSON *json = cJSON_Parse(text);
    base_free(text);
    assert_non_null(json);
    assert_true(number(json, "weights") == WEIGHTS && number(json, "seeds") == 2);
    const cJSON *methods = at(json, "methods");
    assert_int_equal(cJSON_GetArraySize(methods), COMPARE_METHODS);
    for (int m = 0; m < COMPARE_METHODS; m++) {
        const cJSON *method = cJSON_GetArrayItem(methods, m);
        const char *name = at(method, "method")->valuestring;
        assert_string_equal(name, compare_method_text((compare_method)m));
        const cJSON *points = at(method, "points");
        bool dense = m == COMPARE_START || m == COMPARE_DENSE;
        assert_int_equal(cJSON_GetArraySize(points), dense ? 1 : 2);
        check_point(name, cJSON_GetArrayItem(points, 0), dense ? 1 : 4);
        if (!dense)
            check_point(name, cJSON_GetArrayItem(points, 1), 30);
    }
    cJSON_Delete(json);
}

static size_t count_of(const char *text, const char *what) {
    size_t count = 0;
    for (const char *from = strstr(text, what); from != NULL; from = strstr(from + 1, what))
        count++;
    return count;
}

/* From the logs of what ran: dense 1; at 4x ADMM 1 and last retraining 1; at 30x
 * two rounds of ADMM, a retraining between them and the last one. */
static void every_method_trains_as_long(void **state) {
    (void)state;
    compare_once("whole", whole);
    for (int m = COMPARE_DENSE; m < COMPARE_METHODS; m++)
        for (int high = m == COMPARE_DENSE ? 1 : 0; high < 2; high++) {
            char name[128];
            snprintf(name, sizeof name, "whole/comparison-runs/%s-%s-seed-3/log.jsonl",
                     compare_method_text((compare_method)m), high ? "30x" : "4x");
            char *log = read_text(name);
            size_t epochs = count_of(log, "\"kind\":\"epoch\"");
            if (epochs != (high ? 5 : 3))
                fail_msg("%s: %zu epochs", name, epochs);
            base_free(log);
        }
}

/* The first lines of all logs of a seed are those of its dense start. */
static void one_dense_start_a_seed(void **state) {
    (void)state;
    compare_once("whole", whole);
    char *start = read_text("whole/comparison-runs/start-seed-3/log.jsonl");
    char *other = read_text("whole/comparison-runs/start-seed-4/log.jsonl");
    assert_true(strlen(start) > 100);
    assert_string_not_equal(start, other);
    static const char *const runs[] = {"dense-30x", "admm-4x", "random-30x", "one-shot-4x"};
    for (size_t i = 0; i < 4; i++) {
        char name[128];
        snprintf(name, sizeof name, "whole/comparison-runs/%s-seed-3/log.jsonl", runs[i]);
        char *log = read_text(name);
        assert_memory_equal(log, start, strlen(start));
        base_free(log);
    }
    base_free(start);
    base_free(other);
}

/* ---- what is learnt from the dense network ---- */

/* The dense network is asked as often as it says, in two versions each time, by the points of
 * two seeds together. They leave the bytes of runs that each ask by themselves. */
static void ask_together(const char *name, unsigned batch, const char *methods, unsigned times) {
    char taught[BASE_PATH_MAX], apart_name[64];
    snprintf(apart_name, sizeof apart_name, "%s-apart", name);
    out_folder("taught.yaml", taught);
    write_recipe(taught, ", distill: 0.5, versions: 2", batch, "");
    admmnn_compare_settings some = {
        .recipe = taught, .seeds = 2, .first_seed = 3, .ratios = "30", .resume = true};
    watch together = {0}, apart = {0};
    some.methods = methods;
    assert_int_equal(compare(name, some, 1, &together, NULL), ADMMNN_OK);
    assert_int_equal(together.answers, 2 * 2 * times);
    assert_false(together.fell);
    some.methods = "admm";
    assert_int_equal(compare(apart_name, some, 1, &apart, NULL), ADMMNN_OK);
    some.methods = methods;
    assert_int_equal(compare(apart_name, some, 1, &apart, NULL), ADMMNN_OK);
    assert_int_equal(apart.answers, 2 * 2 * 2);
    same_file(name, apart_name, "comparison.json");
}

static void the_points_of_a_seed_ask_once(void **state) {
    (void)state;
    ask_together("together", 16, "admm,one-shot", 1);
}

/* Sums may differ with the batch that an engine is made for. */
static void points_of_other_batches_ask_again(void **state) {
    (void)state;
    ask_together("batches", 160, "admm,gradual", 2);
}

/* ---- recipes of points ---- */

/* Without epochs on the way gradual pruning would be pruning at once. */
static void curvature_leaves_gradual_pruning_out(void **state) {
    (void)state;
    recipe *base;
    compare_plan plan;
    admmnn_error err = {0};
    assert_int_equal(recipe_read(recipe_path, &base, NULL), ADMMNN_OK);
    base->prune.x_step = RECIPE_X_CURVATURE;
    assert_int_equal(compare_plan_make(base, NULL, "2,4", &plan, NULL), ADMMNN_OK);
    assert_false(plan.methods[COMPARE_GRADUAL] || plan.methods[COMPARE_GRADUAL_PER_LAYER]);
    assert_true(plan.methods[COMPARE_ADMM] && plan.methods[COMPARE_ONE_SHOT]);
    assert_int_equal(compare_plan_make(base, "gradual", "2,4", &plan, &err), ADMMNN_USAGE);
    assert_non_null(strstr(err.message, "--methods: gradual prunes between the epochs"));
    base_free(base);
}

/* What of all the methods the set can be pruned by. */
static void sets_choose_their_methods(void **state) {
    (void)state;
    recipe *base;
    compare_plan plan;
    admmnn_error err = {0};
    assert_int_equal(recipe_read(recipe_path, &base, NULL), ADMMNN_OK);
    base->prune.set = RECIPE_SET_FILTERS;
    assert_int_equal(compare_plan_make(base, NULL, "2,4", &plan, NULL), ADMMNN_OK);
    assert_false(plan.methods[COMPARE_GRADUAL] || plan.methods[COMPARE_ONE_SHOT]);
    assert_true(plan.methods[COMPARE_GRADUAL_PER_LAYER] && plan.methods[COMPARE_RANDOM]);
    assert_int_equal(compare_plan_make(base, "admm,one-shot", "2,4", &plan, &err), ADMMNN_USAGE);
    assert_non_null(strstr(err.message, "--methods: one-shot ranks single weights"));
    base->prune.set = RECIPE_SET_N_OF_M;
    base->prune.n = 2;
    base->prune.m = 5;
    assert_int_equal(compare_plan_make(base, NULL, "2.5", &plan, NULL), ADMMNN_OK);
    assert_false(plan.methods[COMPARE_GRADUAL_PER_LAYER]);
    assert_true(plan.methods[COMPARE_ONE_SHOT_PER_LAYER] && plan.methods[COMPARE_DENSE]);
    assert_int_equal(compare_plan_make(base, NULL, "2.5,4", &plan, &err), ADMMNN_USAGE);
    assert_non_null(strstr(err.message, "--ratios: 4 cannot be reached; 2 of 5"));
    base_free(base);
}

static uint32_t all_epochs(const recipe *r) {
    const recipe_prune *p = &r->prune;
    uint32_t rounds = (uint32_t)p->round_count;
    return rounds * p->admm.iterations * p->admm.epochs + (rounds - 1) * p->retrain.epochs +
           p->finish.epochs;
}

static void budgets_are_equal_for_any_recipe(void **state) {
    (void)state;
    recipe *base;
    recipe *r = base_array(2, sizeof *r);
    assert_non_null(r);
    assert_int_equal(recipe_read(recipe_path, &base, NULL), ADMMNN_OK);
    static const uint32_t sizes[] = {0, 1, 3, 7, 40};
    for (int i = 0; i < 5 * 5 * 5; i++) {
        base->prune.admm.iterations = sizes[i % 5];
        base->prune.retrain.epochs = sizes[i / 5 % 5];
        base->prune.finish.epochs = sizes[i / 25];
        compare_plan plan;
        assert_int_equal(compare_plan_make(base, NULL, "2,4,17,30,90", &plan, NULL), ADMMNN_OK);
        for (size_t k = 0; k < plan.ratio_count; k++)
            for (int m = COMPARE_DENSE; m < COMPARE_METHODS; m++) {
                const double ratio = plan.ratios[k];
                assert_int_equal(compare_recipe(&plan, COMPARE_ADMM, ratio, 1, NULL, r, NULL),
                                 ADMMNN_OK);
                assert_int_equal(
                    compare_recipe(&plan, (compare_method)m, ratio, 1, NULL, r + 1, NULL),
                    ADMMNN_OK);
                assert_int_equal(all_epochs(r), all_epochs(r + 1));
                const recipe_prune *p = &r[1].prune;
                assert_in_range(p->round_count, 1, RECIPE_ROUNDS_MAX);
                assert_true(p->rounds[p->round_count - 1] == (m == COMPARE_DENSE ? 1 : ratio));
                for (size_t j = 1; j < p->round_count; j++)
                    assert_true(p->rounds[j] > p->rounds[j - 1]);
                assert_false(r[1].quantize.enabled);
            }
    }
    base_free(base);
    base_free(r);
}

/* What is ADMM's alone is none of the controls': with a ramp they would prune nothing. */
static void controls_have_no_ramp(void **state) {
    (void)state;
    recipe *base;
    recipe *r = base_array(1, sizeof *r);
    assert_non_null(r);
    assert_int_equal(recipe_read(recipe_path, &base, NULL), ADMMNN_OK);
    base->prune.ramp = 0.5;
    base->prune.penalty = RECIPE_PENALTY_PRUNED;
    base->prune.x_step = RECIPE_X_CURVATURE;
    base->prune.curvature_share = 0.25;
    compare_plan plan;
    assert_int_equal(compare_plan_make(base, NULL, "20", &plan, NULL), ADMMNN_OK);
    for (int m = COMPARE_DENSE; m < COMPARE_METHODS; m++) {
        const bool admm = m == COMPARE_ADMM;
        assert_int_equal(compare_recipe(&plan, (compare_method)m, 20, 1, NULL, r, NULL), ADMMNN_OK);
        assert_true(r->prune.ramp == (admm ? 0.5 : 0));
        assert_int_equal(r->prune.penalty, admm ? RECIPE_PENALTY_PRUNED : RECIPE_PENALTY_ALL);
        assert_int_equal(r->prune.x_step, admm ? RECIPE_X_CURVATURE : RECIPE_X_TRAINING);
        assert_true(r->prune.curvature_share == (admm ? 0.25 : 1));
    }
    base_free(base);
    base_free(r);
}

/* Zhu and Gupta 2017, equation 1, from no sparsity at the start. */
static void gradual_pruning_follows_the_cubic(void **state) {
    (void)state;
    recipe *base;
    recipe *r = base_array(1, sizeof *r);
    assert_non_null(r);
    assert_int_equal(recipe_read(recipe_path, &base, NULL), ADMMNN_OK);
    base->prune.admm.iterations = 10;
    compare_plan plan;
    assert_int_equal(compare_plan_make(base, NULL, "20", &plan, NULL), ADMMNN_OK);
    assert_int_equal(compare_recipe(&plan, COMPARE_GRADUAL, 20, 1, NULL, r, NULL), ADMMNN_OK);
    const size_t steps = r->prune.round_count;
    assert_int_equal(steps, 2 * 10 + 1); /* rounds 4 and 20, one retraining between */
    for (size_t i = 0; i < steps; i++) {
        double t = (double)(i + 1) / (double)steps;
        double sparsity = 0.95 + (0 - 0.95) * pow(1 - t, 3);
        assert_true(fabs(1 - 1 / r->prune.rounds[i] - sparsity) < 1e-12);
    }
    base_free(base);
    base_free(r);
}

/* ---- stopping and going on ---- */

static void progress_never_falls(void **state) {
    (void)state;
    admmnn_compare_settings some = {
        .seeds = 1, .first_seed = 3, .ratios = "4,30", .methods = "admm, dense ,one-shot"};
    watch w = {0};
    assert_int_equal(compare("progress", some, 1, &w, NULL), ADMMNN_OK);
    assert_false(w.fell);
    assert_true(fabs(w.last - 1) < 1e-9);
}

/* Each time after so many questions more. */
static void stop_often(const char *name, admmnn_compare_settings settings, unsigned more) {
    admmnn_status status = ADMMNN_CANCELLED;
    unsigned stops = 0;
    while (status == ADMMNN_CANCELLED) {
        watch w = {.stop_at = 12 + more * stops};
        admmnn_error err = {0};
        status = compare(name, settings, 1, &w, &err);
        if (status == ADMMNN_CANCELLED) {
            assert_non_null(strstr(err.message, "--resume"));
            stops++;
        }
    }
    assert_int_equal(status, ADMMNN_OK);
    assert_true(stops > 5);
}

static void stopping_and_resuming_gives_the_same_bytes(void **state) {
    (void)state;
    compare_once("few", few);
    stop_often("stopped", few, 2);
    same_results("few", "stopped");
}

/* Also while the teacher is asked. */
static void stopping_and_resuming_with_a_teacher_does(void **state) {
    (void)state;
    char taught[BASE_PATH_MAX];
    admmnn_compare_settings some = few;
    out_folder("taught-few.yaml", taught);
    write_recipe(taught, ", distill: 0.5, versions: 2", 16, "");
    some.recipe = taught;
    compare_once("taught", some);
    stop_often("taught-stopped", some, 1);
    same_results("taught", "taught-stopped");
}

static void killing_and_resuming_gives_the_same_bytes(void **state) {
    (void)state;
    compare_once("few", few);
    unsigned kills = 0;
    for (long wait = 10;; wait += wait / instrumented_or(1, 4) + 1) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            watch w = {0};
            _exit(compare("killed", few, 1, &w, NULL) == ADMMNN_OK ? 0 : 1);
        }
        const struct timespec pause = {wait / 1000, wait % 1000 * 1000000};
        nanosleep(&pause, NULL);
        kill(child, SIGKILL);
        int how;
        assert_int_equal(waitpid(child, &how, 0), child);
        if (WIFEXITED(how)) {
            assert_int_equal(WEXITSTATUS(how), 0);
            break;
        }
        assert_in_range(++kills, 1, 400);
    }
    assert_true(kills > 0);
    same_results("few", "killed");
}

/* What was left out at first is added later, to the same bytes. */
static void methods_may_be_added(void **state) {
    (void)state;
    compare_once("few", few);
    watch w = {0};
    admmnn_compare_settings less = few;
    less.resume = false;
    less.methods = "admm";
    assert_int_equal(compare("added", less, 1, &w, NULL), ADMMNN_OK);
    assert_int_equal(compare("added", few, 1, &w, NULL), ADMMNN_OK);
    same_results("few", "added");
}

/* ---- refusals ---- */

static void refuse(const char *name, admmnn_compare_settings settings, unsigned threads,
                   admmnn_status status, const char *says) {
    admmnn_error err = {0};
    watch w = {0};
    admmnn_status got = compare(name, settings, threads, &w, &err);
    if (got != status || strstr(err.message, says) == NULL)
        fail_msg("expected %s with '%s', got %s: %s", admmnn_status_name(status), says,
                 admmnn_status_name(got), err.message);
}

static void wrong_wishes_are_refused(void **state) {
    (void)state;
    static const struct {
        admmnn_compare_settings settings;
        const char *says;
    } cases[] = {
        {{.seeds = 0}, "0 seeds"},
        {{.seeds = 100000}, "100000 seeds"},
        {{.seeds = 2, .first_seed = ADMMNN_SEED_MAX},
         "--first-seed: 2 seeds from 9007199254740991"},
        {{.seeds = 1, .first_seed = UINT64_MAX}, "--first-seed"},
        {{.seeds = 1, .methods = "admm,best"}, "--methods: no method 'best'"},
        {{.seeds = 1, .methods = ""}, "--methods: no method ''"},
        {{.seeds = 1, .methods = "start"}, "--methods: no method 'start'"},
        {{.seeds = 1, .methods = "dense, admm,dense"}, "--methods: 'dense' is given twice"},
        {{.seeds = 1, .methods = "one-shot-per-layer,dense"}, "--methods: one-shot-per-layer"},
        {{.seeds = 1, .ratios = "4,x"}, "--ratios: 'x' is no ratio"},
        {{.seeds = 1, .ratios = "4,"}, "--ratios: '' is no ratio"},
        {{.seeds = 1, .ratios = "0.5"}, "--ratios: 0.5 is no ratio"},
        {{.seeds = 1, .ratios = "nan"}, "'nan' is no ratio"},
        {{.seeds = 1, .ratios = "inf"}, "'inf' is no ratio"},
        {{.seeds = 1, .ratios = "0x4"}, "'0x4' is no ratio"},
        {{.seeds = 1, .ratios = "+4"}, "'+4' is no ratio"},
        {{.seeds = 1, .ratios = "-4"}, "-4 is no ratio"},
        {{.seeds = 1, .ratios = "\t4"}, "is no ratio"},
        {{.seeds = 1, .ratios = "4, \n8"}, "is no ratio"},
        {{.seeds = 1, .ratios = "8,8"}, "must rise"},
        {{.seeds = 1, .ratios = "8,7"}, "must rise: 7 after 8"},
        {{.seeds = 1, .ratios = "8,8.0000000001"}, "8 to ten digits"},
        {{.seeds = 1, .ratios = "1e300"}, "at most 1e6"},
        /* Cut off it would be 4. */
        {{.seeds = 1, .ratios = "4.00000000000000000000000000000000000000000000000000000e1"},
         "is no ratio"},
    };
    char out[BASE_PATH_MAX];
    out_folder("refused", out);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        refuse("refused", cases[i].settings, 1, ADMMNN_USAGE, cases[i].says);
        assert_false(base_name_taken(out));
    }
    admmnn_compare_settings far = {.seeds = 1, .ratios = "900000"};
    refuse("refused", far, 1, ADMMNN_INPUT, "900000");
    assert_false(base_name_taken(out));
    /* Nor is anything added to a folder that is there. */
    char path[BASE_PATH_MAX];
    assert_int_equal(base_folder_make(out, NULL), ADMMNN_OK);
    out_folder("refused/other", path);
    assert_int_equal(base_file_write(path, "mine", 4, NULL), ADMMNN_OK);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        refuse("refused", cases[i].settings, 1, ADMMNN_USAGE, cases[i].says);
    refuse("refused", far, 1, ADMMNN_INPUT, "900000");
    char *kept = read_text("refused/other");
    assert_string_equal(kept, "mine");
    base_free(kept);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(out), 0); /* it is empty */
}

static void finished_work_is_not_overwritten(void **state) {
    (void)state;
    compare_once("few", few);
    admmnn_compare_settings anew = few;
    anew.resume = false;
    refuse("few", anew, 1, ADMMNN_USAGE, "--resume");
    admmnn_compare_settings other = few;
    char changed[BASE_PATH_MAX];
    out_folder("changed.yaml", changed);
    write_recipe(changed, "", 16, "seed: 9\n");
    other.recipe = changed;
    refuse("few", other, 1, ADMMNN_INPUT, "another version of the recipe");
    refuse("few", few, 2, ADMMNN_INPUT, "--threads 1");
    watch w = {0};
    assert_int_equal(compare("few", few, 1, &w, NULL), ADMMNN_OK);
}

static void write_text(const char *path, const char *text, size_t count) {
    assert_int_equal(base_file_write(path, text, count, NULL), ADMMNN_OK);
}

/* The text with one part of it replaced; the caller's, base_free. */
static char *replaced(const char *text, const char *from, const char *to) {
    assert_non_null(strstr(text, from));
    const size_t head = (size_t)(strstr(text, from) - text);
    const size_t size = strlen(text) + strlen(to) + 1;
    char *all = base_array(size, 1);
    assert_non_null(all);
    snprintf(all, size, "%.*s%s%s", (int)head, text, to, text + head + strlen(from));
    return all;
}

static void a_damaged_point_is_named(void **state) {
    (void)state;
    static const char *const changes[][2] = {
        {"\"seed\"", "\"seed\" 1"},
        {"\n}\n", "\n}\njunk"},
        {"\"test_accuracy\": ", "\"test_accuracy\": 1.5, \"was\": "},
        {"\"validation_accuracy\": ", "\"validation_accuracy\": -0.5, \"was\": "},
        {"\"test_accuracy\": ", "\"test_accuracy\": 1e999, \"was\": "},
        {"\"kept\": ", "\"kept\": 1.5, \"was\": "},
        {"\"kept\": ", "\"kept\": 266201, \"was\": "},
        {"\"share\": ", "\"share\": 1.5, \"was\": "},
        {"\"threads\": ", "\"threads\": 1.5, \"was\": "},
        {"\"fc1\"", "\"fc1\\u001b\""},
    };
    watch w = {0};
    admmnn_compare_settings one = {.seeds = 1, .methods = "admm", .ratios = "4", .resume = true};
    assert_int_equal(compare("damaged", one, 1, &w, NULL), ADMMNN_OK);
    char path[BASE_PATH_MAX];
    out_folder("damaged/comparison-runs/admm-4x-seed-0/point.json", path);
    char *whole_text = read_text("damaged/comparison-runs/admm-4x-seed-0/point.json");
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        char *text = replaced(whole_text, changes[i][0], changes[i][1]);
        write_text(path, text, strlen(text));
        base_free(text);
        refuse("damaged", one, 1, ADMMNN_CORRUPT, path);
    }
    write_text(path, "", 0);
    refuse("damaged", one, 1, ADMMNN_CORRUPT, path);
    base_free(whole_text);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(compare("damaged", one, 1, &w, NULL), ADMMNN_OK);
}

static void an_altered_comparison_is_not_one(void **state) {
    (void)state;
    static const char *const changes[][2] = {
        {"\n}\n", "\n}\njunk"},
        {"\"lenet-300-100\"", "\"\\u001b[31m\""},
        {"\"lenet-300-100\"", "\"\x1b[31m\""},
        {"\"label\": \"", "\"label\": \"\\u001b[31m"},
        {"\"method\": \"admm\"", "\"method\": \"zebra\""},
        {"\"method\": \"admm\"", "\"method\": 1"},
        {"\"points\": [", "\"points\": 1, \"was\": ["},
        {"\"methods\": [", "\"methods\": 1, \"was\": ["},
        {"\"methods\": [", "\"methods\": [], \"was\": ["},
        {"\"seeds\": 1", "\"seeds\": 2"},
        {"\"seeds\": 1", "\"seeds\": 1.5"},
        {"\"weights\": ", "\"weights\": 1e999, \"was\": "},
        {"\"ratio\": ", "\"ratio\": 1e999, \"was\": "},
        {"\"mean\": ", "\"mean\": -1, \"was\": "},
        {"\"test_accuracy\": {\"mean\": ", "\"test_accuracy\": {\"mean\": 1.5, \"was\": "},
        {"\"seed\": ", "\"seed\": 0.5, \"was\": "},
        {"\"seed\": 0, \"kept\": ", "\"seed\": 0, \"kept\": -1, \"was\": "},
        {"\"recipe\": ", "\"was\": "},
    };
    watch w = {0};
    admmnn_compare_settings one = {.seeds = 1, .methods = "admm", .ratios = "4", .resume = true};
    compare_once("altered", one);
    char out[BASE_PATH_MAX];
    char path[BASE_PATH_MAX];
    out_folder("altered", out);
    out_folder("altered/comparison.json", path);
    char *before = read_text("altered/comparison.json");
    char *read;
    assert_int_equal(admmnn_comparison_json(out, &read, NULL), ADMMNN_OK);
    assert_string_equal(read, before);
    admmnn_text_free(read);
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        char *text = replaced(before, changes[i][0], changes[i][1]);
        write_text(path, text, strlen(text));
        if (admmnn_comparison_json(out, &read, NULL) != ADMMNN_CORRUPT)
            fail_msg("taken for a comparison: %s", text);
        base_free(text);
        refuse("altered", one, 1, ADMMNN_CORRUPT, "comparison.json: not a comparison of admmnn");
    }
    assert_int_equal(unlink(path), 0);
    assert_int_equal(compare("altered", one, 1, &w, NULL), ADMMNN_OK);
    char *after = read_text("altered/comparison.json");
    assert_string_equal(after, before);
    base_free(after);
    base_free(before);
}

/* --resume drops nothing: the folder is as it was, and the message says what to give. */
static void a_narrower_comparison_is_refused(void **state) {
    (void)state;
    admmnn_compare_settings two = {.seeds = 2,
                                   .first_seed = 3,
                                   .methods = "dense,admm,random",
                                   .ratios = "4,6.25",
                                   .resume = true};
    compare_once("wide", two);
    static const struct {
        admmnn_compare_settings settings;
        const char *says;
    } cases[] = {
        {{.seeds = 2, .first_seed = 3, .methods = "admm", .ratios = "4,6.25"},
         "give dense,random in --methods too"},
        {{.seeds = 2, .first_seed = 3, .methods = "dense,admm,random", .ratios = "6.25"},
         "give 4 in --ratios too"},
        {{.seeds = 2, .first_seed = 3, .methods = NULL, .ratios = NULL},
         "give 6.25 in --ratios too"},
        {{.seeds = 1, .first_seed = 3, .methods = "dense,admm,random", .ratios = "4,6.25"},
         "give --first-seed 3 --seeds 2"},
        {{.seeds = 5, .first_seed = 4, .methods = "dense,admm,random", .ratios = "4,6.25"},
         "give --first-seed 3 --seeds 6"},
    };
    char *before[] = {read_text("wide/comparison.json"), read_text("wide/comparison.svg")};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        admmnn_compare_settings narrower = cases[i].settings;
        narrower.resume = true;
        refuse("wide", narrower, 1, ADMMNN_USAGE, cases[i].says);
    }
    char *after[] = {read_text("wide/comparison.json"), read_text("wide/comparison.svg")};
    for (size_t i = 0; i < 2; i++) {
        assert_string_equal(after[i], before[i]);
        base_free(after[i]);
        base_free(before[i]);
    }
    /* More of each at once. */
    watch w = {0};
    two.first_seed = 2;
    two.seeds = 3;
    two.methods = "dense,admm,one-shot,random";
    two.ratios = "2,4,6.25";
    assert_int_equal(compare("wide", two, 1, &w, NULL), ADMMNN_OK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures_add_up),
        cmocka_unit_test(every_method_trains_as_long),
        cmocka_unit_test(one_dense_start_a_seed),
        cmocka_unit_test(the_points_of_a_seed_ask_once),
        cmocka_unit_test(points_of_other_batches_ask_again),
        cmocka_unit_test(curvature_leaves_gradual_pruning_out),
        cmocka_unit_test(sets_choose_their_methods),
        cmocka_unit_test(budgets_are_equal_for_any_recipe),
        cmocka_unit_test(gradual_pruning_follows_the_cubic),
        cmocka_unit_test(controls_have_no_ramp),
        cmocka_unit_test(progress_never_falls),
        cmocka_unit_test(stopping_and_resuming_gives_the_same_bytes),
        cmocka_unit_test(stopping_and_resuming_with_a_teacher_does),
        cmocka_unit_test(killing_and_resuming_gives_the_same_bytes),
        cmocka_unit_test(methods_may_be_added),
        cmocka_unit_test(wrong_wishes_are_refused),
        cmocka_unit_test(finished_work_is_not_overwritten),
        cmocka_unit_test(a_damaged_point_is_named),
        cmocka_unit_test(an_altered_comparison_is_not_one),
        cmocka_unit_test(a_narrower_comparison_is_refused),
    };
    return cmocka_run_group_tests(tests, make_set, remove_set);
}
