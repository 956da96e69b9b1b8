import { visitXML } from "@web/core/utils/xml";
import { Field } from "@web/views/fields/field";

/**
 * Reads `<clearance_matrix limit="80">` with its fields: the first one names the graduate,
 * the others stand beside it; fields with `invisible="1"` are only read.
 */
export class MatrixArchParser {
    parse(xmlDoc, models, modelName) {
        const jsClass = xmlDoc.getAttribute("js_class");
        const limit = parseInt(xmlDoc.getAttribute("limit"), 10);
        const fieldNodes = {};
        const columns = [];
        visitXML(xmlDoc, (node) => {
            if (node.tagName !== "field") {
                return;
            }
            const info = Field.parseFieldNode(node, models, modelName, "clearance_matrix", jsClass);
            fieldNodes[info.name] = info;
            if (!["1", "True", "true"].includes(node.getAttribute("invisible"))) {
                columns.push({ name: info.name, label: info.string });
            }
        });
        return { columns, fieldNodes, limit: limit > 0 ? limit : undefined };
    }
}
