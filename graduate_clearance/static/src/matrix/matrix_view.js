import { registry } from "@web/core/registry";

import { MatrixArchParser } from "./matrix_arch_parser";
import { MatrixController } from "./matrix_controller";
import { MatrixModel } from "./matrix_model";
import { MatrixRenderer } from "./matrix_renderer";

export const matrixView = {
    type: "clearance_matrix",
    searchMenuTypes: ["filter", "favorite"],
    ArchParser: MatrixArchParser,
    Controller: MatrixController,
    Model: MatrixModel,
    Renderer: MatrixRenderer,
    props: (genericProps, view) => {
        const { arch, relatedModels, resModel } = genericProps;
        return {
            ...genericProps,
            archInfo: new view.ArchParser().parse(arch, relatedModels, resModel),
            Model: view.Model,
            Renderer: view.Renderer,
        };
    },
};

registry.category("views").add("clearance_matrix", matrixView);
