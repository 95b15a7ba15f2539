#include <math.h>
#include <stdio.h>
#include <string.h>

#include "report/panels.h"
#include "report/papers.h"
#include "report/svg.h"
#include "report/text.h"

static void card(base_writer *out, const char *figure, const char *what) {
    if (strcmp(figure, "\u2013") == 0)
        return;
    base_write_text(out, "<div class=\"card\"><b>");
    report_escape(out, figure);
    base_write_text(out, "</b><span>");
    report_escape(out, what);
    base_write_text(out, "</span></div>\n");
}

static const char *duration(char text[PAGE_FIGURE_MAX], double seconds) {
    if (!(seconds >= 0 && seconds < 1e9))
        return "\u2013";
    if (seconds < 120)
        snprintf(text, PAGE_FIGURE_MAX, "%.0f s", seconds);
    else if (seconds < 7200)
        snprintf(text, PAGE_FIGURE_MAX, "%.1f min", seconds / 60);
    else
        snprintf(text, PAGE_FIGURE_MAX, "%.1f h", seconds / 3600);
    return text;
}

static void subtitle(base_writer *out, const cJSON *result) {
    char count[PAGE_FIGURE_MAX];
    char data[REPORT_DATA_LABEL_MAX];
    base_write_text(out, "<p class=\"soft\">On ");
    report_escape(out, report_data_label(data, report_text(result, "data_sha256")));
    base_write_text(out, ", recipe ");
    report_escape(out, report_text(result, "recipe"));
    base_write_text(out, ", seed %s", page_count(count, report_number(result, "seed")));
    base_write_text(out, ", %s threads</p>\n", page_count(count, report_number(result, "threads")));
}

void panel_headline(base_writer *out, const report_figures *f) {
    char text[PAGE_FIGURE_MAX];
    const cJSON *accuracy = report_part(f->result, "accuracy");
    const cJSON *ratio = report_part(f->result, "ratio");
    const cJSON *bytes = report_part(f->result, "bytes");
    base_write_text(out, "<header>\n<h1>");
    report_escape(out, report_text(f->result, "model"));
    base_write_text(out, ", compressed by ADMM</h1>\n");
    subtitle(out, f->result);
    base_write_text(out, "</header>\n<section class=\"cards\">\n");
    card(out, page_percent(text, report_number(accuracy, "packed")),
         "test accuracy of the packed file");
    card(out, page_percent(text, report_number(accuracy, "dense")),
         "test accuracy of the dense network");
    card(out, page_ratio(text, report_number(ratio, "pruning")), "fewer weights");
    card(out, page_ratio(text, report_number(ratio, "data_only")), "smaller data, without indices");
    card(out, page_ratio(text, report_number(ratio, "with_indices")),
         "smaller data, indices as stored");
    card(out, page_ratio(text, report_number(ratio, "file")), "smaller file, all counted");
    card(out, page_bytes(text, report_number(bytes, "file")), "the real file");
    card(out, duration(text, report_number(report_part(f->result, "seconds"), "total")),
         "for the whole run");
    base_write_text(out, "</section>\n");
}

typedef const char *(*figure_writer)(char text[PAGE_FIGURE_MAX], double value);

/* Where no paper's row stands beside the run's, paper is NULL. */
typedef struct figures_table {
    base_writer *out;
    const report_paper *paper;
} figures_table;

/* One row; nothing where this run has no figure. */
static void table_row(const figures_table *t, const char *what, figure_writer write, double here,
                      double paper, const char *note) {
    char text[PAGE_FIGURE_MAX];
    if (!isfinite(here) || here < 0)
        return;
    base_write_text(t->out, "<tr>");
    page_cell(t->out, "", what);
    page_cell(t->out, "", write(text, here));
    if (t->paper != NULL)
        page_cell(t->out, "", paper > 0 ? write(text, paper) : "");
    page_cell(t->out, "text", note);
    base_write_text(t->out, "</tr>\n");
}

static void table_accuracy(const figures_table *t, const cJSON *accuracy,
                           const report_paper *paper) {
    table_row(t, "Test accuracy, dense", page_percent, report_number(accuracy, "dense"),
              paper->accuracy.dense / 100, "");
    table_row(t, "Test accuracy, pruned", page_percent, report_number(accuracy, "pruned"),
              paper->accuracy.pruned / 100, "");
    table_row(t, "Test accuracy, pruned and quantized", page_percent,
              report_number(accuracy, "compressed"), paper->accuracy.quantized / 100, "");
    table_row(t, "Test accuracy, packed file", page_percent, report_number(accuracy, "packed"), 0,
              "read back from model.admm");
}

static void table_ratios(const figures_table *t, const cJSON *ratio, const report_paper *paper) {
    table_row(t, "Weights, dense to kept", page_ratio, report_number(ratio, "pruning"),
              paper->pruning, "weights only");
    table_row(t, "Data only", page_ratio, report_number(ratio, "data_only"), paper->data_only,
              "kept weights at their bits");
    table_row(t, "Data with relative indices", page_ratio, report_number(ratio, "relative_indices"),
              paper->relative_indices,
              "the papers' accounting: at each layer's best width, escapes counted");
    table_row(t, "Data with indices, as stored", page_ratio, report_number(ratio, "with_indices"),
              0, "as the file stores them: values, indices, codebooks, scales");
    table_row(t, "The real file", page_ratio, report_number(ratio, "file"), 0,
              "against weights and biases in float32");
}

static void table_size(const figures_table *t, const cJSON *size) {
    table_row(t, "Parameters, dense", page_count, report_number(size, "parameters"), 0, "");
    table_row(t, "Parameters, without dead units", page_count,
              report_number(size, "parameters_left"), 0, "of small.onnx, zeros and all");
    table_row(t, "Multiply-adds an image, dense", page_count, report_number(size, "macs"), 0, "");
    table_row(t, "Multiply-adds an image, without dead units", page_count,
              report_number(size, "macs_left"), 0, "of small.onnx, zeros and all");
}

static void table_bytes(const figures_table *t, const cJSON *bytes, const report_paper *paper) {
    table_row(t, "Bytes, data only", page_bytes, report_number(bytes, "data"),
              1024 * paper->data_kib, "");
    table_row(t, "Bytes, data with relative indices", page_bytes,
              report_number(bytes, "relative_indices"), 1024 * paper->relative_indices_kib, "");
    table_row(t, "Bytes, data with indices, as stored", page_bytes,
              report_number(bytes, "with_indices"), 0, "");
    table_row(t, "Bytes, the real file", page_bytes, report_number(bytes, "file"), 0, "");
    table_row(t, "Bytes, dense float32 weights", page_bytes, report_number(bytes, "dense_fp32"), 0,
              "");
    table_row(t, "Bytes, dense float32 by zstd", page_bytes, report_number(bytes, "dense_zstd"), 0,
              "a general compressor on the dense network");
    table_row(t, "Bytes, dense int8 by zstd", page_bytes, report_number(bytes, "int8_zstd"), 0,
              "the same after rounding to eight bits");
}

static void table_heads(const figures_table *t) {
    base_write_text(t->out, "<div class=\"scroll\"><table>\n<tr><th></th><th>this run</th>");
    if (t->paper != NULL) {
        base_write_text(t->out, "<th>");
        report_escape(t->out, t->paper->source);
        base_write_text(t->out, "</th>");
    }
    base_write_text(t->out, "<th class=\"text\">what is counted</th></tr>\n");
}

void panel_table(base_writer *out, const report_figures *f) {
    static const report_paper none = {.source = ""};
    const cJSON *accuracy = report_part(f->result, "accuracy");
    const cJSON *ratio = report_part(f->result, "ratio");
    if (!cJSON_IsObject(accuracy) || !cJSON_IsObject(ratio))
        return;
    const figures_table table = {out, report_paper_find(report_text(f->result, "data_sha256"),
                                                        report_text(f->result, "model"),
                                                        report_number(ratio, "pruning"))};
    const report_paper *paper = table.paper == NULL ? &none : table.paper;
    if (table.paper == NULL)
        page_panel_begin(out, "The run's figures",
                         "Accuracies are of the test set, measured once, at the end.");
    else
        page_panel_begin(out, "Beside the published figures",
                         "Accuracies are of the test set, measured once, at the end. The papers "
                         "count weights only; the real file holds biases, scales, header and "
                         "checksum too.");
    table_heads(&table);
    table_accuracy(&table, accuracy, paper);
    table_ratios(&table, ratio, paper);
    table_size(&table, report_part(f->result, "size"));
    table_bytes(&table, report_part(f->result, "bytes"), paper);
    base_write_text(out, "</table></div>\n");
    page_panel_end(out);
}

static double largest_of(const cJSON *layers, const char *key) {
    double largest = 0;
    const cJSON *layer;
    cJSON_ArrayForEach(layer, layers) {
        double value = report_number(layer, key);
        largest = value > largest ? value : largest;
    }
    return largest;
}

typedef struct layer_scale {
    double kept, bits, bytes;
} layer_scale;

static void layer_row(base_writer *out, const cJSON *layer, const layer_scale *scale) {
    char text[PAGE_FIGURE_MAX];
    double weights = report_number(layer, "weights");
    double kept = report_number(layer, "kept");
    double bits = report_number(layer, "bits");
    double bytes = report_number(layer, "bytes");
    base_write_text(out, "<tr>");
    page_cell(out, "", report_text(layer, "name"));
    page_cell(out, "", page_count(text, weights));
    page_bar_cell(out, kept / scale->kept, 0, page_count(text, kept));
    page_cell(out, "", page_percent(text, kept / weights));
    page_bar_cell(out, bits / scale->bits, 1, page_count(text, bits));
    page_bar_cell(out, bytes / scale->bytes, 2, page_count(text, bytes));
    char shape[2 * PAGE_FIGURE_MAX + 4];
    char columns[PAGE_FIGURE_MAX];
    snprintf(shape, sizeof shape, "%s \u00D7 %s", page_count(text, report_number(layer, "rows")),
             page_count(columns, report_number(layer, "columns")));
    page_cell(out, "", shape);
    char coders[128];
    snprintf(coders, sizeof coders, "%.60s, %.60s", report_text(layer, "positions"),
             report_text(layer, "values"));
    page_cell(out, "text", coders);
    base_write_text(out, "</tr>\n");
}

void panel_layers(base_writer *out, const report_figures *f) {
    const cJSON *layers = report_part(f->result, "layers");
    if (!cJSON_IsArray(layers) || cJSON_GetArraySize(layers) == 0)
        return;
    const layer_scale scale = {.kept = largest_of(layers, "kept"),
                               .bits = largest_of(layers, "bits"),
                               .bytes = largest_of(layers, "bytes")};
    page_panel_begin(out, "By layer",
                     "Bars compare layers. The matrix is what is left after neurons and filters "
                     "without a path from input to output are removed; the coders are "
                     "those of the indices and of the values.");
    base_write_text(out,
                    "<div class=\"scroll\"><table>\n<tr><th>layer</th><th>weights</th>"
                    "<th>kept</th><th>share</th><th>bits</th><th>bytes</th><th>matrix</th>"
                    "<th class=\"text\">indices, values</th></tr>\n");
    const cJSON *layer;
    cJSON_ArrayForEach(layer, layers) layer_row(out, layer, &scale);
    base_write_text(out, "</table></div>\n");
    page_panel_end(out);
}

/* The file's parts, in the order they are drawn. */
static const struct {
    const char *key, *text;
    unsigned colour;
} file_parts[] = {{"values", "values", 0}, {"indices", "indices", 1}, {"codebooks", "codebooks", 3},
                  {"scales", "scales", 4}, {"biases", "biases", 2},   {"header", "header", 7}};
#define FILE_PARTS (sizeof file_parts / sizeof file_parts[0])

static void stack_keys(base_writer *out, const cJSON *bytes, double total) {
    char text[PAGE_FIGURE_MAX];
    base_write_text(out, "<ul class=\"keys\">\n");
    for (size_t i = 0; i < FILE_PARTS; i++) {
        double value = report_number(bytes, file_parts[i].key);
        if (!(value >= 0))
            continue;
        base_write_text(out, "<li class=\"s%u\"><i></i>%s %s <span>%.1f %%</span></li>\n",
                        file_parts[i].colour, file_parts[i].text, page_bytes(text, value),
                        100 * value / total);
    }
    base_write_text(out, "</ul>\n");
}

void panel_bytes(base_writer *out, const report_figures *f) {
    const cJSON *bytes = report_part(f->result, "bytes");
    double total = 0;
    for (size_t i = 0; i < FILE_PARTS; i++) {
        double value = report_number(bytes, file_parts[i].key);
        total += value > 0 ? value : 0;
    }
    if (!(total > 0 && total < 1e18))
        return;
    char text[PAGE_FIGURE_MAX];
    char note[160];
    snprintf(note, sizeof note, "model.admm holds %s in all.",
             page_bytes(text, report_number(bytes, "file")));
    page_panel_begin(out, "Where the file's bytes go", note);
    base_write_text(out, "<div class=\"stack\">");
    for (size_t i = 0; i < FILE_PARTS; i++) {
        double value = report_number(bytes, file_parts[i].key);
        if (value > 0)
            base_write_text(out, "<i class=\"s%u\" style=\"flex:%.6f\" title=\"%s\"></i>",
                            file_parts[i].colour, value / total, file_parts[i].text);
    }
    base_write_text(out, "</div>\n");
    stack_keys(out, bytes, total);
    page_panel_end(out);
}
