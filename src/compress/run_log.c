/* log.jsonl: what happened, one object a line. Times are not in it, so that the
 * same run leaves the same log. */
#include <stdio.h>

#include "base/json.h"
#include "compress/rank.h"
#include "compress/run.h"

static const char *layer_name(const compress_run *run, uint32_t layer) {
    return run->g->nodes[run->layers[layer].node].name;
}

/* ,"layer":"conv1" */
static void log_layer(compress_run *run, uint32_t layer) {
    base_write_text(&run->log, ",\"layer\":");
    base_write_json_string(&run->log, layer_name(run, layer));
}

void run_log_epoch(compress_run *run, const train_score *training, const train_score *validation) {
    base_write_text(&run->log,
                    "{\"kind\":\"epoch\",\"stage\":\"%s\",\"round\":%u,\"epoch\":%u,"
                    "\"train_loss\":%.6f,\"train_accuracy\":%.6f,"
                    "\"validation_loss\":%.6f,\"validation_accuracy\":%.6f}\n",
                    run_stage_text(run), run->at.round, run->at.epoch, training->loss,
                    training->accuracy, validation->loss, validation->accuracy);
    snprintf(run->note, sizeof run->note, "validation %.2f %%", 100.0 * validation->accuracy);
    char task[96];
    run_task_text(run, task, sizeof task);
    base_log(run->context, ADMMNN_LOG_DEBUG,
             "%s, epoch %u: training loss %.4f, validation accuracy %.2f %%", task,
             run->at.epoch + 1, training->loss, 100.0 * validation->accuracy);
}

void run_log_residuals(compress_run *run, const admm_residual *residuals) {
    for (uint32_t l = 0; l < run->layer_count; l++) {
        base_write_text(&run->log,
                        "{\"kind\":\"residual\",\"stage\":\"%s\",\"round\":%u,\"iteration\":%u",
                        run_stage_text(run), run->at.round, run->at.iteration);
        log_layer(run, l);
        base_write_text(&run->log,
                        ",\"rho\":%.6g,\"primal\":%.6g,\"dual\":%.6g,"
                        "\"w_norm\":%.6g,\"z_norm\":%.6g}\n",
                        (double)admm_block_at(run->admm, l)->rho, residuals[l].primal,
                        residuals[l].dual, residuals[l].x_norm, residuals[l].z_norm);
    }
}

void run_log_event(compress_run *run, const char *event, const train_score *validation) {
    base_write_text(&run->log,
                    "{\"kind\":\"event\",\"stage\":\"%s\",\"round\":%u,\"event\":\"%s\","
                    "\"validation_loss\":%.6f,\"validation_accuracy\":%.6f}\n",
                    run_stage_text(run), run->at.round, event, validation->loss,
                    validation->accuracy);
    char task[96];
    run_task_text(run, task, sizeof task);
    base_log(run->context, ADMMNN_LOG_INFO, "%s: %s: validation accuracy %.2f %%", task, event,
             100.0 * validation->accuracy);
}

void run_log_layers(compress_run *run) {
    size_t total = 0;
    for (uint32_t l = 0; l < run->layer_count; l++) {
        size_t kept = rank_kept(run->g, run->layers[l].node, run->mask);
        total += kept;
        base_write_text(&run->log, "{\"kind\":\"layer\",\"stage\":\"%s\",\"round\":%u",
                        run_stage_text(run), run->at.round);
        log_layer(run, l);
        base_write_text(&run->log, ",\"kept\":%zu,\"bits\":%u}\n", kept, run->layers[l].bits);
        base_log(run->context, ADMMNN_LOG_INFO, "  %-8s keeps %zu", layer_name(run, l), kept);
    }
    char task[96];
    run_task_text(run, task, sizeof task);
    if (total == 0)
        base_log(run->context, ADMMNN_LOG_WARNING,
                 "%s: no weight is left; the ratio is too high for this network", task);
    base_log(run->context, ADMMNN_LOG_INFO, "  all keep %zu weights: %.1fx", total,
             (double)graph_weight_count(run->g) / (double)(total > 0 ? total : 1));
}

static uint32_t last_layer(const compress_run *run) {
    return run->layers[run->layer_count - 1].node;
}

size_t run_fixed_classes(const compress_run *run) {
    if (rank_units(run->g, last_layer(run)) != graph_value_count(run->g, run->g->output))
        return 0; /* they are no classes */
    return rank_empty_units(run->g, last_layer(run), run->mask);
}

void run_warn_of_fixed_classes(const compress_run *run, size_t before) {
    const size_t fixed = run_fixed_classes(run);
    char task[96];
    if (fixed <= before)
        return;
    run_task_text(run, task, sizeof task);
    base_log(run->context, ADMMNN_LOG_WARNING,
             "%s: layer %s keeps %zu weights, and none for %zu of the %zu classes, whose outputs "
             "are the same for every image; a lower ratio, or a share of its own in prune.keep, "
             "leaves it more",
             task, layer_name(run, run->layer_count - 1),
             rank_kept(run->g, last_layer(run), run->mask), fixed,
             graph_value_count(run->g, run->g->output));
}

void run_log_trial(compress_run *run, uint32_t layer, const train_score *score, bool holds) {
    const char *name = layer_name(run, layer);
    const unsigned bits = run->layers[layer].bits;
    base_write_text(&run->log, "{\"kind\":\"trial\",\"stage\":\"%s\"", run_stage_text(run));
    log_layer(run, layer);
    base_write_text(&run->log, ",\"bits\":%u,\"holds\":%s", bits, holds ? "true" : "false");
    if (score != NULL)
        base_write_text(&run->log, ",\"validation_loss\":%.6f,\"validation_accuracy\":%.6f",
                        score->loss, score->accuracy);
    base_write_text(&run->log, "}\n");
    const char *outcome = holds ? "enough" : "too few";
    if (score == NULL)
        base_log(run->context, ADMMNN_LOG_INFO, "%s: %s at %u bits: diverged, %s",
                 run_stage_text(run), name, bits, outcome);
    else
        base_log(run->context, ADMMNN_LOG_INFO,
                 "%s: %s at %u bits: validation accuracy %.2f %%, %s", run_stage_text(run), name,
                 bits, 100.0 * score->accuracy, outcome);
}

void run_log_divergence(compress_run *run) {
    base_write_text(&run->log,
                    "{\"kind\":\"divergence\",\"stage\":\"%s\",\"round\":%u,"
                    "\"iteration\":%u,\"epoch\":%u}\n",
                    run_stage_text(run), run->at.round, run->at.iteration, run->at.epoch);
}
