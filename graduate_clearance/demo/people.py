"""Invented people: names put together by chance, numbers that nobody can have."""

_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩邓冯曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢"
    "姚沈钟姜崔谭陆范汪廖石金韦贾夏付方邹熊白孟秦邱侯江尹薛闫段雷龙黎史陶贺毛郝顾龚邵万覃武钱戴严莫孔向常"
)
_GIVEN = {
    "female": "婷雅静怡欣悦琳佳雪莹梦璐颖倩慧敏洁丹薇萱蕾瑶珊芸菲岚宁然一若思语安可心晓清依诗涵文",
    "male": "伟强磊涛鹏杰浩宇轩博俊毅峰凯翔航斌超建明志远泽思成子文嘉天一亦然晨宏哲诚睿川",
}
_CHECK_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_DIGITS = "10X98765432"


def invent_name(rng, gender):
    """Put a name together from common characters."""
    given = rng.sample(_GIVEN[gender], 1 if rng.random() < 0.25 else 2)
    return rng.choice(_SURNAMES) + "".join(given)


def invent_id_number(rng, birth_year):
    """Make an ID-card number of a region that does not exist, with a wrong check digit."""
    body = f"990000{birth_year}{rng.randint(1, 12):02}{rng.randint(1, 28):02}{rng.randint(0, 999):03}"
    right = sum(int(digit) * weight for digit, weight in zip(body, _CHECK_WEIGHTS, strict=True)) % 11
    return body + _CHECK_DIGITS[(right + rng.randint(1, 10)) % 11]


def invent_phone(rng):
    """Make a phone number that no network gives out."""
    return f"000-0000-{rng.randint(0, 9999):04}"
