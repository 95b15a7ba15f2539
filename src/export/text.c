#include <math.h>
#include <stdio.h>
#include <string.h>

#include "export/job.h"

#define BYTES_A_LINE 16U
#define FLOATS_A_LINE 6U

export_name export_name_of(const char *kind, uint32_t number) {
    export_name name;
    snprintf(name.text, sizeof name.text, "%s_%u", kind, number);
    return name;
}

/* ---- numbers ---- */

/* Nine digits tell floats apart. */
void export_write_float(base_writer *out, float value) {
    char text[32];
    if (!isfinite(value)) {
        base_write_text(out, "%s", isnan(value) ? "NAN" : value < 0.0F ? "-INFINITY" : "INFINITY");
        return;
    }
    snprintf(text, sizeof text, "%.9g", (double)value);
    base_write_text(out, "%s%sF", text, strpbrk(text, ".e") == NULL ? ".0" : "");
}

static void begin_element(base_writer *out, size_t i, size_t a_line) {
    base_write_text(out, "%s%s", i == 0 ? "" : ",", i % a_line == 0 ? "\n    " : " ");
}

void export_write_floats(base_writer *out, const char *name, const float *values, size_t count) {
    if (count == 0)
        return;
    base_write_text(out, "static const float %s[] = {", name);
    for (size_t i = 0; i < count; i++) {
        begin_element(out, i, FLOATS_A_LINE);
        export_write_float(out, values[i]);
    }
    base_write_text(out, "\n};\n");
}

void export_write_bytes(base_writer *out, const char *name, const uint8_t *bytes, size_t count) {
    if (count == 0)
        return;
    base_write_text(out, "static const uint8_t %s[] = {", name);
    for (size_t i = 0; i < count; i++) {
        begin_element(out, i, BYTES_A_LINE);
        base_write_text(out, "%uU", bytes[i]);
    }
    base_write_text(out, "\n};\n");
}

void export_write_places(base_writer *out, const char *name, const uint32_t *places, size_t count) {
    base_write_text(out, "static const uint32_t %s[] = {", name);
    for (size_t i = 0; i < count; i++) {
        begin_element(out, i, FLOATS_A_LINE);
        base_write_text(out, "%uU", places[i]);
    }
    base_write_text(out, "\n};\n");
}

void export_write_comment(base_writer *out, const char *name) {
    for (; *name != 0; name++) {
        const bool is_plain = (*name >= 'a' && *name <= 'z') || (*name >= 'A' && *name <= 'Z') ||
                              (*name >= '0' && *name <= '9') || strchr(".-", *name) != NULL;
        base_write_u8(out, is_plain ? (uint8_t)*name : '_');
    }
}

/* ---- values ---- */

export_name export_result(const export_job *job, const graph_node *node, size_t first) {
    const export_place *place = &job->plan->places[node->output];
    export_name name;
    if (place->home == EXPORT_OUT)
        snprintf(name.text, sizeof name.text, "&out[%zu]", first);
    else
        snprintf(name.text, sizeof name.text, "&values[%zu]", place->at + first);
    return name;
}

static export_name fixed_operand(export_job *job, uint32_t value) {
    const size_t count = graph_value_count(job->g, value);
    const export_name name = export_name_of("numbers", value);
    if (!job->told[value]) {
        export_write_floats(&job->data, name.text, export_fixed(job->g, job->params, value), count);
        job->sizes.constants += count * sizeof(float);
        job->told[value] = true;
    }
    return name;
}

export_name export_operand(export_job *job, const graph_node *node, uint32_t i) {
    const uint32_t value = graph_operand(job->g, node, i);
    const export_place *place = &job->plan->places[value];
    export_name name = {"in"};
    if (place->home == EXPORT_FIXED)
        return fixed_operand(job, value);
    if (place->home == EXPORT_OUT)
        snprintf(name.text, sizeof name.text, "out");
    else if (place->home == EXPORT_BUFFER)
        snprintf(name.text, sizeof name.text, "&values[%zu]", place->at);
    return name;
}
