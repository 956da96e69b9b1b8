import { Component, onWillUnmount, useRef, useState, useSubEnv } from "@odoo/owl";

import { browser } from "@web/core/browser/browser";
import { _t } from "@web/core/l10n/translation";
import { useBus, useService } from "@web/core/utils/hooks";
import { useModel } from "@web/model/model";
import { extractFieldsFromArchInfo } from "@web/model/relational_model/utils";
import { useSetupAction } from "@web/search/action_hook";
import { CogMenu } from "@web/search/cog_menu/cog_menu";
import { Layout } from "@web/search/layout";
import { usePager } from "@web/search/pager_hook";
import { SearchBar } from "@web/search/search_bar/search_bar";
import { useSearchBarToggler } from "@web/search/search_bar/search_bar_toggler";
import { standardViewProps } from "@web/views/standard_view_props";

import { MatrixLegend } from "./matrix_legend";
import { MatrixResult } from "./matrix_result";
import { MatrixToolbar } from "./matrix_toolbar";

/** How long to wait after colleagues have decided something before it is read, in ms. */
const REFRESH_DELAY = 3000;

/** Search, pager and everything around the grid. */
export class MatrixController extends Component {
    static template = "graduate_clearance.MatrixController";
    static components = { CogMenu, Layout, MatrixLegend, MatrixResult, MatrixToolbar, SearchBar };
    static props = { ...standardViewProps, Model: Function, Renderer: Function, archInfo: Object };

    setup() {
        this.rootRef = useRef("root");
        this.model = useState(useModel(this.props.Model, this.modelParams));
        useBus(this.model.bus, "update", () => this.render(true));
        useSubEnv({ model: this.model });
        useSetupAction({
            rootRef: this.rootRef,
            getLocalState: () => ({
                modelState: this.model.exportState(),
                scroll: this.getScroll(),
            }),
            getOrderBy: () => this.model.root.orderBy,
        });
        usePager(() => {
            const { count, hasLimitedCount, limit, offset } = this.model.root;
            return {
                offset,
                limit,
                total: count,
                onUpdate: (page) => this.model.setPage(page),
                updateTotal: hasLimitedCount ? () => this.model.root.fetchCount() : undefined,
            };
        });
        this.searchBarToggler = useSearchBarToggler();
        this.followColleagues();
    }

    get modelParams() {
        const { archInfo, fields, limit, resModel, state } = this.props;
        const { activeFields, fields: allFields } = extractFieldsFromArchInfo(archInfo, fields);
        const [nameColumn, ...labelColumns] = archInfo.columns;
        return {
            config: state?.modelState?.config || { resModel, fields: allFields, activeFields },
            state: state?.modelState,
            limit: archInfo.limit || limit,
            nameField: nameColumn.name,
            labelFields: labelColumns.map(({ name }) => name),
        };
    }

    get rendererProps() {
        return {
            model: this.model,
            columns: this.props.archInfo.columns,
            initialScroll: this.props.state?.scroll,
            openGraduate: this.openGraduate.bind(this),
        };
    }

    get emptyTitle() {
        return _t("No graduate here");
    }

    getScroll() {
        const el = this.rootRef.el.querySelector(".o_clearance_matrix_scroll");
        return { left: el?.scrollLeft || 0, top: el?.scrollTop || 0 };
    }

    openGraduate(row) {
        this.props.selectRecord?.(row.id, { activeIds: this.model.rows.map(({ id }) => id) });
    }

    /** When colleagues decide something in this session, read again what is in sight. */
    followColleagues() {
        const bus = useService("bus_service");
        let timer;
        const refresh = async () => {
            timer = null;
            if (!this.model.job && !document.hidden) {
                await this.model.refresh(this.model.visibleIds || []);
            }
        };
        const onChanged = ({ session_id: sessionId }) => {
            if (!timer && sessionId === this.model.session?.id) {
                timer = browser.setTimeout(refresh, REFRESH_DELAY * (1 + Math.random() / 3));
            }
        };
        bus.subscribe("clearance.changed", onChanged);
        onWillUnmount(() => {
            bus.unsubscribe("clearance.changed", onChanged);
            browser.clearTimeout(timer);
        });
    }
}
