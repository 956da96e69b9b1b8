import { Interaction } from "@web/public/interaction";
import { registry } from "@web/core/registry";

/** A button that prints the page; without JavaScript there is the browser's own. */
export class ClearancePrint extends Interaction {
    static selector = ".o_clearance_print_button";
    dynamicContent = {
        _root: {
            "t-att-hidden": () => false,
            "t-on-click": () => window.print(),
        },
    };
}

registry.category("public.interactions").add("graduate_clearance.print", ClearancePrint);
