/* The recipe's reader on any bytes; a recipe that is accepted is checked against
 * a network too. */
#include "base/memory.h"
#include "compress/recipe.h"
#include "graph/zoo.h"

int LLVMFuzzerTestOneInput(const uint8_t *text, size_t count);

int LLVMFuzzerTestOneInput(const uint8_t *text, size_t count) {
    recipe *r = NULL;
    admmnn_error err = {0};
    if (recipe_parse("folder/r.yaml", text, count, &r, &err) != ADMMNN_OK)
        return 0;
    graph *g = NULL;
    if (graph_zoo_create(r->model, graph_shape_image(1, 28, 28), 10, &g, &err) == ADMMNN_OK)
        recipe_check(r, g, NULL, &err);
    graph_free(g);
    base_free(r);
    return 0;
}
