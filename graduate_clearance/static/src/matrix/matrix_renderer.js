import {
    Component,
    onMounted,
    onPatched,
    onWillRender,
    useEffect,
    useRef,
    useState,
} from "@odoo/owl";

import { _t } from "@web/core/l10n/translation";
import { usePopover } from "@web/core/popover/popover_hook";
import { clamp } from "@web/core/utils/numbers";
import { useVirtualGrid } from "@web/core/virtual_grid_hook";

import { MatrixRow } from "./matrix_row";
import { MatrixStory } from "./matrix_story";

/** Height of a row in pixels, as in matrix_renderer.scss. */
const ROW_HEIGHT = 40;

/** The first columns that the keyboard reaches: the tick box and the graduate. */
const TICK_COLUMN = 0;
const NAME_COLUMN = 1;
const FIRST_STEP_COLUMN = 2;

/**
 * The grid.  Only rows in sight (and half a screen before and after) are in the page;
 * the header and the first columns stay where they are.
 */
export class MatrixRenderer extends Component {
    static template = "graduate_clearance.MatrixRenderer";
    static components = { MatrixRow };
    static props = {
        model: Object,
        columns: Array,
        initialScroll: { type: Object, optional: true },
        openGraduate: Function,
    };

    setup() {
        this.model = useState(this.props.model);
        this.scrollRef = useRef("scroll");
        this.state = useState({ row: 0, column: FIRST_STEP_COLUMN });
        this.story = usePopover(MatrixStory, {
            animation: false,
            popoverClass: "o_clearance_matrix_popover",
            position: "bottom",
            onClose: () => this.onStoryClosed(),
        });
        this.grid = useVirtualGrid({
            scrollableRef: this.scrollRef,
            initialScroll: this.props.initialScroll,
            bufferCoef: 0.5,
        });
        onWillRender(() => this.prepare());
        onMounted(() => {
            this.scrollRef.el.scrollTop = this.props.initialScroll?.top || 0;
            this.scrollRef.el.scrollLeft = this.props.initialScroll?.left || 0;
        });
        onPatched(() => this.applyFocus());
        useEffect(
            (el, box) => {
                if (el) {
                    const { allTicked, ticked } = box;
                    el.indeterminate = ticked > 0 && !allTicked;
                }
            },
            () => [
                this.scrollRef.el?.querySelector(".o_clearance_matrix_tick_all"),
                { allTicked: this.model.allTicked, ticked: this.model.ticked.size },
            ]
        );
        this.anchor = null;
    }

    /** Work out what is in sight. */
    prepare() {
        const { columns, rows } = this.model;
        if (this.rows !== rows) {
            if (this.rows?.length !== rows.length || !this.heights) {
                this.heights = rows.map(() => ROW_HEIGHT);
                this.grid.setRowsHeights(this.heights);
            }
            this.rows = rows;
        }
        if (this.steppedColumns !== columns) {
            this.steppedColumns = columns;
            this.steps = columns.flatMap((column) =>
                column.steps.map((step, index) => ({ ...step, isFirst: index === 0 }))
            );
        }
        const [start = 0, end = -1] = this.grid.rowsIndexes || [];
        this.start = start;
        this.visible = rows.slice(start, end + 1);
        this.props.model.visibleIds = this.visible.map(({ id }) => id);
    }

    // -- what the template shows -----------------------------------------------

    get columnCount() {
        return FIRST_STEP_COLUMN + this.steps.length + this.labelColumns.length;
    }

    get nameColumn() {
        return this.props.columns[0];
    }

    get labelColumns() {
        return this.props.columns.slice(1);
    }

    get canTick() {
        return this.model.ownSteps.length > 0;
    }

    get spaceBefore() {
        return this.start * ROW_HEIGHT;
    }

    get spaceAfter() {
        return (this.rows.length - this.start - this.visible.length) * ROW_HEIGHT;
    }

    /** The row that the tab key reaches: the one last visited, when it is in sight. */
    get focusRow() {
        return clamp(this.state.row, this.start, this.start + this.visible.length - 1);
    }

    getFocusColumn(row) {
        return row.index === this.focusRow ? this.state.column : -1;
    }

    getSort(name) {
        const [order] = this.model.root.orderBy;
        if (order?.name !== name) {
            return "none";
        }
        return order.asc ? "ascending" : "descending";
    }

    getStepTitle(step) {
        const title = step.required ? step.name : _t("%s (optional)", step.name);
        if (step.mine) {
            return step.id === this.model.stepId
                ? _t("%s: you act on this step", title)
                : _t("%s: act on this step", title);
        }
        return _t("%s: other people decide on this step", title);
    }

    // -- mouse and touch -------------------------------------------------------

    onClick(ev) {
        const sort = ev.target.closest("[data-sort]");
        if (sort) {
            this.model.sortBy(sort.dataset.sort);
            return;
        }
        const cell = ev.target.closest("[data-column]");
        if (!cell) {
            return;
        }
        const { column, row } = this.locate(cell);
        this.state.row = row.index;
        this.state.column = column;
        if (column === TICK_COLUMN) {
            // The box shows what the model says, once the grid is drawn again.
            this.toggle(row, ev.shiftKey);
        } else if (column === NAME_COLUMN) {
            this.props.openGraduate(row);
        } else {
            this.showStory(cell, row, column);
        }
    }

    onMousedown(ev) {
        if (ev.shiftKey) {
            // No selection of text while a range is ticked.
            ev.preventDefault();
        }
    }

    onFocusin(ev) {
        const cell = ev.target.closest("[data-column]");
        if (cell) {
            const { column, row } = this.locate(cell);
            this.state.row = row.index;
            this.state.column = column;
        }
    }

    locate(cell) {
        const index = parseInt(cell.closest("[data-row]").dataset.row, 10);
        return { row: this.rows[index], column: parseInt(cell.dataset.column, 10) };
    }

    // -- ticking ---------------------------------------------------------------

    toggleAll() {
        if (this.model.allTicked) {
            this.model.tickOnly([]);
        } else {
            this.model.tickAll();
        }
    }

    /** Tick a row, or with shift all rows since the one before, as that one was. */
    toggle(row, isRange) {
        if (!this.canTick) {
            return;
        }
        const isTicked = !this.model.ticked.has(row.id);
        if (isRange && this.anchor !== null) {
            const [from, to] = [this.anchor, row.index].sort((a, b) => a - b);
            this.model.tick(
                this.rows.slice(from, to + 1).map(({ id }) => id),
                isTicked
            );
        } else {
            this.model.tick([row.id], isTicked);
        }
        this.anchor = row.index;
    }

    chooseStep(step) {
        this.model.setStep(step.id === this.model.stepId ? false : step.id);
    }

    // -- keyboard --------------------------------------------------------------

    onKeydown(ev) {
        if (!ev.target.matches("[data-column]") || ev.altKey) {
            return;
        }
        const { column, row } = this.locate(ev.target);
        if (ev.key === " ") {
            this.toggle(row, ev.shiftKey);
        } else if (ev.key === "Enter") {
            this.enter(ev.target, row, column);
        } else if (ev.key === "Escape") {
            this.story.close();
        } else if (!this.move(ev, row.index, column)) {
            return;
        }
        ev.preventDefault();
        ev.stopPropagation();
    }

    enter(cell, row, column) {
        if (column === TICK_COLUMN) {
            this.toggle(row, false);
        } else if (column === NAME_COLUMN) {
            this.props.openGraduate(row);
        } else {
            this.showStory(cell, row, column);
        }
    }

    /** @returns {boolean} whether the key moves at all */
    move(ev, row, column) {
        const page = Math.max(1, Math.floor(this.bodyHeight / ROW_HEIGHT) - 1);
        const lastRow = this.rows.length - 1;
        const lastColumn = FIRST_STEP_COLUMN + this.steps.length - 1;
        const isFar = ev.ctrlKey || ev.metaKey;
        const targets = {
            ArrowUp: [row - 1, column],
            ArrowDown: [row + 1, column],
            ArrowLeft: [row, column - 1],
            ArrowRight: [row, column + 1],
            PageUp: [row - page, column],
            PageDown: [row + page, column],
            Home: [isFar ? 0 : row, TICK_COLUMN],
            End: [isFar ? lastRow : row, lastColumn],
        };
        const target = targets[ev.key];
        if (!target) {
            return false;
        }
        this.focusCell(clamp(target[0], 0, lastRow), clamp(target[1], 0, lastColumn));
        return true;
    }

    get bodyHeight() {
        const el = this.scrollRef.el;
        return el.clientHeight - el.querySelector("thead").offsetHeight;
    }

    /** Bring a cell into sight, then focus it; it may have to be drawn first. */
    focusCell(row, column) {
        this.state.row = row;
        this.state.column = column;
        const el = this.scrollRef.el;
        const top = row * ROW_HEIGHT;
        if (top < el.scrollTop) {
            el.scrollTop = top;
        } else if (top + ROW_HEIGHT > el.scrollTop + this.bodyHeight) {
            el.scrollTop = top + ROW_HEIGHT - this.bodyHeight;
        }
        this.wanted = { row, column };
        this.applyFocus();
    }

    applyFocus() {
        if (!this.wanted) {
            return;
        }
        const { column, row } = this.wanted;
        const cell = this.scrollRef.el.querySelector(
            `[data-row="${row}"] > [data-column="${column}"]`
        );
        if (cell) {
            this.wanted = null;
            cell.focus({ preventScroll: true });
            this.scrollAside(cell);
        }
    }

    /** Scroll sideways so that the fixed columns do not cover the cell. */
    scrollAside(cell) {
        if (parseInt(cell.dataset.column, 10) < FIRST_STEP_COLUMN) {
            return;
        }
        const el = this.scrollRef.el;
        const fixed = [...cell.parentElement.children]
            .filter((other) => getComputedStyle(other).position === "sticky")
            .reduce((width, other) => width + other.offsetWidth, 0);
        const { left, right } = cell.getBoundingClientRect();
        const box = el.getBoundingClientRect();
        if (left < box.left + fixed) {
            el.scrollLeft -= box.left + fixed - left;
        } else if (right > box.left + el.clientWidth) {
            el.scrollLeft += right - box.left - el.clientWidth;
        }
    }

    // -- the story of a cell ---------------------------------------------------

    showStory(cell, row, column) {
        const step = this.steps[column - FIRST_STEP_COLUMN];
        const found = row.cells[step.id];
        if (!found) {
            return;
        }
        this.storyCell = { row: row.index, column };
        this.story.open(cell, {
            model: this.props.model,
            rowId: row.id,
            statusId: found[0],
            openGraduate: () => this.props.openGraduate(row),
        });
    }

    /** Back to the cell, unless the user has gone on somewhere else. */
    onStoryClosed() {
        const el = this.scrollRef.el;
        const active = document.activeElement;
        if (el && this.storyCell && (!active || active === document.body)) {
            this.wanted = this.storyCell;
            this.applyFocus();
        }
        this.storyCell = null;
    }
}
