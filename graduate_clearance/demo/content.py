"""What the demo campus is called: every text once in English and once in Chinese.

The shape follows Hunan UST's operator manual for undergraduates; all names are made up.
"""

from typing import NamedTuple


class Text(NamedTuple):
    """A text in both languages of the demo."""

    en: str
    zh: str


UNIVERSITY = Text("Lushui University of Technology", "渌水理工大学")


class College(NamedTuple):
    code: str
    name: Text
    weight: int  # share of the graduates
    majors: tuple  # of (Text, short Text)


COLLEGES = [
    College(
        "ME",
        Text("College of Mechanical Engineering", "机械工程学院"),
        9,
        (
            (Text("Mechanical Design and Manufacturing", "机械设计制造及其自动化"), Text("MD", "机设")),
            (Text("Mechatronics", "机械电子工程"), Text("MT", "机电")),
        ),
    ),
    College(
        "RS",
        Text("College of Resources and Safety", "资源与安全学院"),
        6,
        (
            (Text("Safety Engineering", "安全工程"), Text("SE", "安全")),
            (Text("Mining Engineering", "采矿工程"), Text("MI", "采矿")),
        ),
    ),
    College(
        "CE",
        Text("College of Civil Engineering", "土木工程学院"),
        7,
        (
            (Text("Civil Engineering", "土木工程"), Text("CE", "土木")),
            (Text("Water Supply and Drainage", "给排水科学与工程"), Text("WS", "给排水")),
        ),
    ),
    College(
        "IE",
        Text("College of Information and Electrical Engineering", "信息与电气工程学院"),
        8,
        (
            (Text("Electrical Engineering", "电气工程及其自动化"), Text("EE", "电气")),
            (Text("Communication Engineering", "通信工程"), Text("CO", "通信")),
        ),
    ),
    College(
        "CS",
        Text("College of Computer Science", "计算机学院"),
        8,
        (
            (Text("Computer Science and Technology", "计算机科学与技术"), Text("CS", "计算机")),
            (Text("Software Engineering", "软件工程"), Text("SW", "软件")),
        ),
    ),
    College(
        "CH",
        Text("College of Chemistry and Chemical Engineering", "化学化工学院"),
        5,
        (
            (Text("Applied Chemistry", "应用化学"), Text("AC", "应化")),
            (Text("Pharmaceutical Engineering", "制药工程"), Text("PE", "制药")),
        ),
    ),
    College(
        "MA",
        Text("College of Mathematics", "数学学院"),
        4,
        (
            (Text("Mathematics and Applied Mathematics", "数学与应用数学"), Text("MA", "数学")),
            (Text("Statistics", "统计学"), Text("ST", "统计")),
        ),
    ),
    College(
        "PH",
        Text("College of Physics and Electronics", "物理与电子学院"),
        4,
        (
            (Text("Physics", "物理学"), Text("PH", "物理")),
            (Text("Electronic Information Engineering", "电子信息工程"), Text("EI", "电信")),
        ),
    ),
    College(
        "LS",
        Text("College of Life Sciences", "生命科学学院"),
        3,
        (
            (Text("Biotechnology", "生物技术"), Text("BT", "生技")),
            (Text("Food Science", "食品科学与工程"), Text("FS", "食品")),
        ),
    ),
    College(
        "AD",
        Text("College of Architecture and Design", "建筑与设计学院"),
        5,
        (
            (Text("Architecture", "建筑学"), Text("AR", "建筑")),
            (Text("Product Design", "产品设计"), Text("PD", "产设")),
        ),
    ),
    College(
        "HU",
        Text("School of Humanities", "人文学院"),
        5,
        (
            (Text("Chinese Language and Literature", "汉语言文学"), Text("CL", "中文")),
            (Text("History", "历史学"), Text("HI", "历史")),
        ),
    ),
    College(
        "FL",
        Text("School of Foreign Languages", "外国语学院"),
        5,
        (
            (Text("English", "英语"), Text("EN", "英语")),
            (Text("Japanese", "日语"), Text("JP", "日语")),
        ),
    ),
    College(
        "MX",
        Text("School of Marxism", "马克思主义学院"),
        2,
        ((Text("Ideological and Political Education", "思想政治教育"), Text("IP", "思政")),),
    ),
    College(
        "ED",
        Text("School of Education", "教育学院"),
        4,
        (
            (Text("Applied Psychology", "应用心理学"), Text("PS", "心理")),
            (Text("Educational Technology", "教育技术学"), Text("ET", "教技")),
        ),
    ),
    College(
        "BS",
        Text("Business School", "商学院"),
        9,
        (
            (Text("Accounting", "会计学"), Text("AC", "会计")),
            (Text("Marketing", "市场营销"), Text("MK", "营销")),
        ),
    ),
    College(
        "LP",
        Text("School of Law and Public Administration", "法学与公共管理学院"),
        4,
        (
            (Text("Law", "法学"), Text("LA", "法学")),
            (Text("Public Administration", "行政管理"), Text("PA", "行管")),
        ),
    ),
    College(
        "AT",
        Text("College of Arts", "艺术学院"),
        4,
        (
            (Text("Music", "音乐学"), Text("MU", "音乐")),
            (Text("Fine Arts", "美术学"), Text("FA", "美术")),
        ),
    ),
    College(
        "SP", Text("College of Sport", "体育学院"), 3, ((Text("Physical Education", "体育教育"), Text("PE", "体教")),)
    ),
    College(
        "MS",
        Text("College of Materials", "材料学院"),
        3,
        (
            (Text("Materials Science", "材料科学与工程"), Text("MS", "材料")),
            (Text("Metallurgy", "冶金工程"), Text("MG", "冶金")),
        ),
    ),
    College(
        "GS",
        Text("College of Geography and Surveying", "地理与测绘学院"),
        2,
        ((Text("Surveying", "测绘工程"), Text("SU", "测绘")),),
    ),
]


class Trait(NamedTuple):
    code: str
    name: Text
    share: float


#: Shares as in the manual's own class tables: of 28, about 9 national loans, 1 origin
#: loan, 4 switches.  Members of the Party are no longer counted as League members.
TRAITS = [
    Trait("party_member", Text("Party member", "党员"), 0.12),
    Trait("league_member", Text("Youth League member", "团员"), 0.95),
    Trait("national_loan", Text("National student loan", "国家助学贷款"), 9 / 28),
    Trait("origin_loan", Text("Loan from the place of origin", "生源地助学贷款"), 1 / 28),
    Trait("network_switch", Text("Borrowed a network switch", "借用交换机"), 4 / 28),
    Trait("household", Text("Household registration at the university", "户口在校"), 0.4),
    Trait("off_campus", Text("Lives off campus", "校外住宿"), 0.015),
    Trait("withheld", Text("Certificate withheld", "暂缓发放证书"), 0.01),
]


class Station(NamedTuple):
    key: str
    name: Text
    place: Text
    instructions: Text = Text("", "")
    desks: Text | None = None  # one desk a college, called so
    map_url: str = ""


#: in the sea where the equator meets the prime meridian: no campus is there
MAP = "https://www.openstreetmap.org/?mlat=%s&mlon=%s#map=18/0/0"

STATIONS = [
    Station(
        "college",
        Text("College desks", "学院离校点"),
        Text("Office of student work of your college", "所在学院学生工作办公室"),
        Text(
            "Your class hands in equipment and membership papers together; come yourself for loans.",
            "教学仪器与组织关系按班级统一办理，助学贷款请本人到场确认。",
        ),
        desks=Text("%s: desk", "%s离校点"),
    ),
    Station(
        "library",
        Text("Library", "图书馆"),
        Text("Library, ground floor, lending desk", "图书馆一楼借还书处"),
        Text(
            "Nothing to do if you owe neither books nor fines: the library's own system reports it.",
            "无欠书、无欠款者无需前来，由图书管理系统自动确认。",
        ),
        map_url=MAP % ("0.0010", "0.0010"),
    ),
    Station(
        "affairs",
        Text("Student Affairs", "学生工作处"),
        Text("Student services hall, counter 3", "学生事务大厅3号窗口"),
        Text("Student cards are handed in by class.", "学生证由班级负责人统一上交。"),
        map_url=MAP % ("0.0020", "-0.0010"),
    ),
    Station(
        "utilities",
        Text("Utilities Centre", "水电通信中心"),
        Text("Logistics building, room 102", "后勤楼102室"),
        Text("One of your room pays the bill for all.", "以寝室为单位缴清电费。"),
    ),
    Station(
        "dormitory",
        Text("Dormitory Centre", "宿管中心"),
        Text("Keeper's office of your building", "所在楼栋值班室"),
        Text("Clear the room together with your room mates.", "与室友一起清理宿舍物品。"),
    ),
    Station(
        "network",
        Text("Network Centre", "网络信息中心"),
        Text("Information building, room 110", "信息楼110室"),
        Text("Only for those who borrowed a switch.", "仅限借用交换机的毕业生。"),
    ),
    Station(
        "finance",
        Text("Finance Office", "财务处"),
        Text("Administration building, counter 5", "行政楼5号窗口"),
        Text(
            "Paid up? Then nothing is to do: the fee system reports it within the hour.",
            "已缴清者无需前来，收费系统每小时自动更新。",
        ),
    ),
    Station(
        "certificates",
        Text("College certificates", "学院领取证件"),
        Text("Office of your college", "所在学院办公室"),
        Text("Certificates are handed out when everything else is settled.", "办结所有手续后领取证件。"),
        desks=Text("%s: certificates", "%s领取证件"),
    ),
    Station(
        "academic",
        Text("Academic Affairs", "教务处"),
        Text("Administration building, room 208", "行政楼208室"),
        Text(
            "Certificates that were withheld are handed out here once the cause is gone.",
            "暂缓发放的证书，清理完相关事项后在此领取。",
        ),
    ),
]

HOURS = Text("8:30–11:30, 14:30–17:30", "8:30–11:30，14:30–17:30")

#: everything that has to be settled before a certificate is handed out
BEFORE_CERTIFICATES = ("college", "library", "affairs", "utilities", "dormitory", "network", "finance")

SETTLE = Text("Settle", "办理手续")
COLLECT = Text("Collect", "领取证件")


def having(*codes):
    """Domain: graduates with one of these traits."""
    return f"[('trait_ids.code', 'in', {list(codes)})]"


def lacking(code):
    """Domain: graduates without this trait."""
    return f"['!', ('trait_ids.code', 'in', {[code]})]"


class Ask(NamedTuple):
    """A question that a step asks its graduates."""

    key: str
    name: Text
    kind: str = "char"
    required: bool = True
    help: Text = Text("", "")
    choices: tuple = ()
    file_types: str = ""
    form: Text | None = None  # a blank form to fill in, called so

    @property
    def values(self):
        """Values of the requirement, but for its choices and its blank form."""
        files = {"file_types": self.file_types, "file_max_count": 1} if self.file_types else {}
        return {"name": self.name, "kind": self.kind, "required": self.required, "help": self.help, **files}


class Step(NamedTuple):
    key: str
    station: str
    name: Text
    domain: str = "[]"
    mode: str = "station"
    required: bool = True
    handout: Text = Text("", "")
    instructions: Text = Text("", "")
    asks: tuple = ()
    feed: str = ""
    sequence: int = 0  # 0: as it stands in the list

    @property
    def collects(self):
        """Hands out a certificate, after everything else."""
        return self.station in ("certificates", "academic")


LOAN_FORM = Text("Loan confirmation", "国家助学贷款还款确认书")
STAY_FORM = Text("Application to keep the household registration", "户口暂留申请表")

STEPS = [
    Step(
        "membership",
        "college",
        Text("Transfer Party or League membership", "转出党团组织关系"),
        having("party_member", "league_member"),
        handout=Text("Membership transfer letter", "党团组织关系介绍信"),
    ),
    Step("equipment", "college", Text("Return teaching equipment", "归还教学仪器")),
    Step(
        "national_loan",
        "college",
        Text("Confirm national loan", "国家助学贷款还款确认"),
        having("national_loan"),
        instructions=Text(
            "Download the confirmation, sign it, and send a photograph or a scan of it.",
            "请下载还款确认书，签名后拍照或扫描上传。",
        ),
        asks=(
            Ask(
                "confirmation",
                Text("Signed loan confirmation", "已签名的还款确认书"),
                "file",
                help=Text("The signature must be readable.", "签名须清晰可辨。"),
                file_types="document",
                form=LOAN_FORM,
            ),
            Ask(
                "repayment",
                Text("How do you repay?", "还款方式"),
                "selection",
                choices=(
                    Text("In instalments from next year on", "下一年起分期还款"),
                    Text("All at once before leaving", "离校前一次性还清"),
                    Text("Deferred for further study", "继续攻读学位，申请展期"),
                ),
            ),
        ),
    ),
    Step("books", "library", Text("Return books", "归还图书"), mode="feed", feed="library"),
    Step("deposit", "library", Text("Deposit refund", "退还押金"), required=False),
    Step("card", "affairs", Text("Return student card", "归还学生证")),
    Step("origin_loan", "affairs", Text("Confirm origin loan", "生源地贷款还款确认"), having("origin_loan")),
    Step("electricity", "utilities", Text("Clear electricity bill", "清理电费")),
    Step(
        "inventory",
        "dormitory",
        Text("Clear room inventory", "清理宿舍物品"),
        instructions=Text(
            "Apply for your check-out here; the keeper then comes to look at the room with you.",
            "请先在此提交退宿申请，再由宿管员到寝室现场核验。",
        ),
        asks=(
            Ask("leaving", Text("Day on which you move out", "离寝日期"), "date"),
            Ask("keys", Text("Number of keys that you hand back", "归还钥匙数量"), "float"),
            Ask(
                "pledge",
                Text("I leave the room clean and its inventory complete.", "本人承诺寝室整洁、公物完好。"),
                "boolean",
            ),
            Ask(
                "photo",
                Text("Photo of the cleared room", "清空后的寝室照片"),
                "file",
                required=False,
                help=Text("It saves the keeper a visit.", "上传照片可减少现场核验。"),
                file_types="image",
            ),
        ),
    ),
    Step("switch", "network", Text("Return switch", "归还交换机"), having("network_switch")),
    Step("arrears", "finance", Text("Pay arrears", "缴还欠款"), mode="feed", feed="fees"),
    Step(
        "degree",
        "certificates",
        Text("Degree certificate", "领取学位证"),
        lacking("withheld"),
        handout=Text("Degree certificate", "学位证书"),
    ),
    Step(
        "graduation",
        "certificates",
        Text("Graduation certificate", "领取毕业/结业证"),
        lacking("withheld"),
        handout=Text("Graduation certificate", "毕业证书"),
    ),
    Step(
        "registration",
        "certificates",
        Text("Registration card", "领取报到证"),
        handout=Text("Registration card", "报到证"),
    ),
    Step(
        "household",
        "certificates",
        Text("Household transfer certificate", "领取户口迁移证明"),
        having("household"),
        handout=Text("Household transfer certificate", "户口迁移证"),
    ),
    Step("withheld", "academic", Text("Withheld certificates", "领取暂缓发放的证书"), having("withheld")),
]

#: Steps that other campuses add, which graduates do on their own page: read and confirm,
#: declare a destination (Hunan Nonferrous Metals), claim a balance (Nanjing City), apply
#: to let the household registration stay for two years (Nanjing City).
APPLICATIONS = [
    Step(
        "notice",
        "affairs",
        Text("Read the notice on leaving", "阅读文明离校须知"),
        sequence=5,
        mode="graduate",
        instructions=Text(
            "Leave rooms and corridors clear, take no university property along, beware of "
            "calls that ask for fees or passwords, and report home when you have arrived. "
            "Confirm that you have read this.",
            "请保持寝室和楼道整洁，勿带走公物；谨防以收费、验证码为由的诈骗电话；平安到家后向家人报平安。"
            "阅读后请确认。",
        ),
    ),
    Step(
        "destination",
        "college",
        Text("Declare your destination", "毕业去向登记"),
        sequence=35,
        asks=(
            Ask(
                "kind",
                Text("What comes next?", "毕业去向"),
                "selection",
                choices=(
                    Text("Employment", "就业"),
                    Text("Further study", "升学"),
                    Text("Study abroad", "出国（境）深造"),
                    Text("Own business", "自主创业"),
                    Text("Not yet decided", "暂未落实"),
                ),
            ),
            Ask("where", Text("Employer or university", "单位或院校名称"), required=False),
            Ask("city", Text("City", "所在城市")),
            Ask(
                "agreement",
                Text("Agreement or letter of admission", "就业协议书或录取通知书"),
                "file",
                required=False,
                file_types="document",
            ),
        ),
    ),
    Step(
        "refund",
        "finance",
        Text("Refund of the card balance", "校园卡余额退款"),
        sequence=115,
        required=False,
        instructions=Text(
            "What is left on your campus card is paid to your own account within ten working days.",
            "校园卡余额将在十个工作日内退至本人银行账户。",
        ),
        asks=(
            Ask(
                "bank",
                Text("Bank", "开户银行"),
                "selection",
                choices=(
                    Text("Lushui Bank", "渌水银行"),
                    Text("Yunshan Rural Bank", "云山农村银行"),
                    Text("Beigang Savings Bank", "北港储蓄银行"),
                ),
            ),
            Ask(
                "account",
                Text("Account number", "银行账号"),
                help=Text("Your own account, not one of your family's.", "须为本人账户，不得使用亲友账户。"),
            ),
        ),
    ),
    Step(
        "stay",
        "affairs",
        Text("Let the household registration stay", "申请户口暂留学校"),
        having("household"),
        sequence=75,
        required=False,
        instructions=Text(
            "Whoever has not found employment yet may leave the registration here for up to two years.",
            "尚未落实单位的毕业生可申请户口暂留学校，期限不超过两年。",
        ),
        asks=(
            Ask(
                "years",
                Text("For how long?", "暂留期限"),
                "selection",
                choices=(Text("One year", "一年"), Text("Two years", "两年")),
            ),
            Ask("reason", Text("Reason", "申请理由"), "text"),
            Ask(
                "application",
                Text("Signed application", "已签名的申请表"),
                "file",
                file_types="document",
                form=STAY_FORM,
            ),
        ),
    ),
]


class Feed(NamedTuple):
    """A source system: what it counts, and the remark of what is owed."""

    key: str
    name: Text
    unit: Text = Text("", "")


FEEDS = [
    Feed("library", Text("Library system", "图书管理系统"), Text("books", "册")),
    Feed("fees", Text("Fee system", "收费系统")),
]

HALL = Text("Library hall, ground floor", "图书馆一楼大厅")

#: what some graduates write, and what they hear
EMPLOYER = Text("Lushui Machine Works", "渌水机械厂")
CITY = Text("Lushui", "渌水市")
NO_CITY = Text("not known yet", "待定")
NO_CITY_REJECTED = Text("Name the city of your employer", "请填写单位所在城市")
LOAN_REJECTED = Text("The signature cannot be read: send a better photo", "签名不清晰，请重新拍照上传")
LOAN_PHOTO = Text("Loan confirmation, signed", "还款确认书（已签名）")
ROOM_PHOTO = Text("Our room", "寝室照片")
#: no bank gives out such a number
ACCOUNT = "0000 0000 0000 %04d"
STAY_REASON = Text("My employer cannot take the registration yet.", "单位暂不能接收户口。")
QUESTION = Text(
    "I am away until Thursday. May a room mate hand in my student card?",
    "我周四前不在学校，学生证可以由室友代交吗？",
)
ANSWER = Text(
    "Yes, with a note signed by you. The card itself must be the original.",
    "可以，请附上本人签名的委托书，并交回学生证原件。",
)


class Role(NamedTuple):
    """A user who can log in; offices are operators of the station of the same key."""

    login: str
    title: Text
    group: str | None = None
    home: str = "clearance_desk_action"  # where the day begins


ROLES = [
    Role("manager", Text("Manager", "管理员"), "group_manager", "clearance_session_action"),
    Role("library", Text("Operator, library", "图书馆操作员")),
    Role("finance", Text("Operator, finance", "财务处操作员")),
    Role("affairs", Text("Operator, student affairs", "学生工作处操作员")),
    Role("utilities", Text("Operator, utilities", "水电通信中心操作员")),
    Role("dormitory", Text("Operator, dormitories", "宿管中心操作员")),
    Role("network", Text("Operator, network centre", "网络信息中心操作员")),
    Role("college", Text("Operator of a college's two desks", "学院操作员（两个离校点）")),
    Role("academic", Text("Operator, academic affairs", "教务处操作员")),
    Role("counsellor", Text("Counsellor", "辅导员"), home="clearance_form_action_counsellor"),
    Role("lead", Text("College lead", "学院负责人"), home="clearance_form_action_college_lead"),
    Role("deferral", Text("Deferral officer", "缓交办理员"), "group_deferral", "clearance_deferral_action"),
    Role("auditor", Text("Auditor", "审计员"), "group_auditor", "clearance_log_action"),
]

GRADUATE = Text("Graduate", "毕业生")
SESSION = Text("%s undergraduates", "%s届本科生离校")
SESSION_INSTRUCTIONS = Text(
    "Settle every step that is marked with a star, then collect your certificates at your college.",
    "请办结所有带★的环节，再到所在学院领取证件。",
)
POSTPONED = Text("Graduation postponed by one year", "延期一年毕业")
DEFERRAL = Text("Deferred payment, agreement shown", "已出示缓交证明")
REJECTIONS = {
    "equipment": Text("A measuring set is incomplete", "教学仪器不完整"),
    "inventory": Text("The desk lamp and a chair are missing", "缺少台灯和椅子"),
    "electricity": Text("The last bill is unpaid", "最后一期电费未缴"),
    "card": Text("The card was lost: report the loss first", "学生证遗失，请先挂失"),
}
BOOKS_OWED = Text("2 books not returned", "尚有2册图书未还")
OWED = {"books": (2, 1, 3, 2, 5), "arrears": (5400, 800, 1200, 350)}
ARREARS_OWED = Text("Tuition of the last year is unpaid", "尚欠最后一学年学费")
