import { Component } from "@odoo/owl";

/** For whom to look: the whole roster, a college, or one of its classes. */
export class SimulationScope extends Component {
    static template = "graduate_clearance.SimulationScope";
    static props = {
        scope: { type: Object, shape: { kind: String, id: [Number, Boolean] } },
        colleges: Array,
        /** whether the whole roster may be chosen */
        mayTakeAll: Boolean,
        setScope: Function,
    };

    get college() {
        const { kind, id } = this.props.scope;
        return this.props.colleges.find((college) =>
            kind === "class" ? college.classes.some((group) => group.id === id) : college.id === id
        );
    }

    get classes() {
        return this.props.scope.kind === "roster" ? [] : this.college?.classes || [];
    }

    onCollegeChange(ev) {
        const id = Number(ev.target.value) || false;
        this.props.setScope({ kind: id ? "college" : "roster", id });
    }

    onClassChange(ev) {
        const id = Number(ev.target.value) || false;
        this.props.setScope(id ? { kind: "class", id } : { kind: "college", id: this.college.id });
    }
}
