#include "pack/report.h"

/* Whole bytes of each kind; what the bits leave over belongs to the header, so
 * that the parts are the file. */
void pack_report_add_up(pack_report *r, const pack_model *model, size_t step_bytes,
                        size_t file_bytes) {
    const graph *g = model->g;
    uint64_t values = 0;
    uint64_t positions = 0;
    uint64_t biases = 0;
    uint64_t codebooks = 0;
    for (uint32_t p = 0; p < g->parameter_count; p++) {
        const pack_tensor *tensor = &model->tensors[p];
        const pack_tensor_report *t = &r->tensors[p];
        uint64_t scale = tensor->form == PACK_LEVELS ? step_bytes : 0;
        if (g->parameters[p].kind != GRAPH_WEIGHT) {
            biases += t->value_bits + t->position_bits + 8 * scale;
            continue;
        }
        r->bytes_scales += scale;
        values += t->value_bits;
        positions += t->position_bits;
        codebooks += t->codebook_bits;
    }
    r->bytes_values = (values - codebooks) / 8;
    r->bytes_positions = positions / 8;
    r->bytes_codebooks = codebooks / 8;
    r->bytes_biases = biases / 8;
    r->bytes_total = file_bytes;
    r->bytes_header = r->bytes_total - r->bytes_values - r->bytes_positions - r->bytes_codebooks -
                      r->bytes_biases - r->bytes_scales;
}
