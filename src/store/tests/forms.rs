//! Forms of stored bodies do not change: a sample of each version can be read, and the newest version is written.
//!
//! A new field in a stored type makes a test fail here. Then raise the version ([`Body::VERSION`]), read the previous form
//! ([`Body::earlier`]), and append a sample of the new form.

use serde::Serialize;

use super::*;
use crate::alert::{Fact, HoldReason, NeedStep, NotificationKind, Trend};
use crate::forecast::{AdjustmentAmount, AdjustmentKind};
use crate::store::bodies::{AlertBody, CountsBody, Cursor};
use crate::store::chunk::Chunk;
use crate::store::vintage::Parts;

/// `forms`: versions and samples of the same value. The last one is the current version.
fn check<T: Body>(value: &T, forms: &[(u32, &str)]) {
    let name = std::any::type_name::<T>();
    let (newest, written) = forms.last().expect("a form");
    assert_eq!(*newest, T::VERSION, "{name}: the newest version has a sample");
    let now = hex(&body::encode(value).expect("encodes"));
    assert_eq!(now, hex(&bytes(written)), "{name}: the form has changed, so its version has to");
    for (version, sample) in forms {
        let read: T = body::decode(*version, &bytes(sample)).expect("is read");
        assert_eq!(hex(&body::encode(&read).expect("encodes")), now, "{name}: version {version}");
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(hex: &str) -> Vec<u8> {
    let hex: String = hex.split_whitespace().collect();
    let digits = hex.as_bytes().chunks_exact(2);
    let byte = |pair| u8::from_str_radix(std::str::from_utf8(pair).expect("digits"), 16);
    digits.map(|pair| byte(pair).expect("a byte")).collect()
}

#[test]
fn counts_and_windows() {
    check(
        &sample::source(),
        &[
            (0, "0f737570706f72742e7469636b6574730680e0a0b7f1665222018ee0a0b7f1668ae0a0b7f166"),
            (
                1,
                "0f737570706f72742e7469636b6574730680e0a0b7f1665222018ee0a0b7f1668ae0a0b7f166000000",
            ),
        ],
    );
    check(
        &CountsBody::from(sample::all_counts()),
        &[(0, "bc0501020304050607080900000001ac02"), (1, "bc0501020304050607080900000001ac02")],
    );
    let without_topics = Counts { topics: [0; crate::domain::TOPICS], ..sample::all_counts() };
    check(
        &CountsBody::from(without_topics),
        &[(0, "bc050102030405060708"), (1, "bc050102030405060708000000000000")],
    );
    let mut chunk = Chunk::default();
    for (slot, (_, _, record)) in sample::stored_windows().into_iter().enumerate() {
        chunk.set(slot as u16, record);
    }
    check(
        &chunk.numbers(),
        &[(0, "1c00090701fbff18bc0507060c0102030405080901ac0201050141030101010902")],
    );
}

#[test]
fn forecasts() {
    let mut plain = vintage(0);
    plain.targets.truncate(2);
    check(
        &Parts::of(&plain),
        &[
            (
                0,
                "020770726f66696c65086d73746c2d65747300001800e8bd02c0b802ca110096b401f42d98299e2d9e2d9829 \
        f42dc0ee6df20fd00f00e807e6c301f42d98299e2d9e2d9829f42d",
            ),
            (
                1,
                "020770726f66696c65086d73746c2d65747300001800e8bd02c0b802ca110096b401f42d98299e2d9e2d9829 \
        f42dc0ee6df20fd00f00e807e6c301f42d98299e2d9e2d9829f42d0000",
            ),
        ],
    );
    check(
        &Parts::of(&sample::adjusted()),
        &[
            (
                0,
                "020770726f66696c65086d73746c2d65747301106c657373207468616e2061207765656b012400e8bd02c0b8 \
        02ca110018040606060604c0ee6d88cd09d00f00e8071a04060606060400bf8d09f02e00e807200406060606 \
        0401086c696e6b446f776e000000000000294003b4ad07b4ad07b4ad0703f403d00f00e80701",
            ),
            (
                1,
                "020770726f66696c65086d73746c2d65747301106c657373207468616e2061207765656b012400e8bd02c0b8 \
        02ca110018040606060604c0ee6d88cd09d00f00e8071a04060606060400bf8d09f02e00e807200406060606 \
        0401086c696e6b446f776e00000000000029400103b4ad07b4ad07b4ad0703f403d00f00e80701",
            ),
        ],
    );
    let both = vec![Parts::of(&plain), Parts::of(&sample::rich_vintage())];
    check(
        &block::columns(both),
        &[(
            0,
            "02020770726f66696c65086d73746c2d657473000000000002020770726f66696c65086d73746c2d65747301 \
        106c657373207468616e2061207765656b010001086c696e6b446f776e00000000000029400103b4ad07b4ad \
        07b4ad0703f403d00f00e80701033c00c0ee6d00c0ee6d00e8bd02f20fe8bd02f20fd62fc0b802d00fc0b802 \
        d00ff02eca1100ca11000000e80700e807e80796b401e6c301181a20f42df42d040404982998290606069e2d \
        9e2d0606069e2d9e2d06060698299829060606f42df42d040404",
        )],
    );
    check(
        &sample::plan(),
        &[(
            0,
            "056e6f727468066d6f62696c650570686f6e65809ad8baf1661c33303020732c2038302f32302c2033302025 \
        20736872696e6b61676502809ad8baf166000000000000234003050406010206000000000000e83f80d48fbe \
        f1660000000000002340030504060001000000000000e83f",
        )],
    );
    check(
        &sample::plan_target(),
        &[(0, "809ad8baf166000000000000234003050406010206000000000000e83f")],
    );
    check(
        &sample::outlook("phone"),
        &[(
            0,
            "056e6f727468066d6f62696c650570686f6e65809ad8baf1660000000000803f4080d48fbef1660000000000 \
        00f43f010601809ad8baf166012d",
        )],
    );
    check(
        &sample::adjustments()[0],
        &[(
            0,
            "01610b62696c6c696e672072756e010001066d6f62696c650080e0a0b7f166809ad8baf16600000000000000 \
        f83f024c6901054d6172636880e0a0b7f166",
        )],
    );
    check(
        &sample::threshold(),
        &[(
            0,
            "01d4bf02010101010101010100000001056e6f727468d4bf0201056e6f727468066d6f62696c65045f616c6c \
        01d4bf0280e0a0b7f1660001d4bf0280e0a0b7f1660001d4bf0280e0a0b7f1660001d4bf0280e0a0b7f16600 \
        01d4bf0280e0a0b7f1660001d4bf0280e0a0b7f1660001d4bf0280e0a0b7f1660001d4bf0280e0a0b7f16600 \
        000000",
        )],
    );
}

#[test]
fn scores() {
    check(
        &sample::score(3),
        &[(
            0,
            "0300000000008034400000000000000a40000000000000f8bf00000000008010400000000000803440000000 \
        0000001f40000000000000e03f000000000000f03f000000000000f83f0000000000000040000000000000f8 \
        3f000000000000e83f000000000000e03f000000000080344004050000000000000340000000000000ec3f03",
        )],
    );
    check(
        &accuracy::DayScores::from(&sample::by_lead()),
        &[(
            0,
            "023c05040503a8c002e432b717ba40a8c0028c798e25d60de807d00fb817a01fb817dc0be807b40106040503 \
        a8c002e432b717ba40a8c0028c798e25d60de807d00fb817a01fb817dc0be807",
        )],
    );
}

#[test]
fn tickets() {
    let [step, snapshot] = sample::ticket_messages();
    check(
        &step,
        &[
            (
                0,
                "86e0a0b7f166056e6f727468066d6f62696c650570686f6e650003542d31020182e0a0b7f16601ac02",
            ),
            (
                1,
                "86e0a0b7f166056e6f727468066d6f62696c650570686f6e650003542d31020182e0a0b7f16601ac0200",
            ),
        ],
    );
    check(
        &snapshot,
        &[
            (0, "88e0a0b7f166056e6f727468066d6f62696c650570686f6e650128"),
            (1, "88e0a0b7f166056e6f727468066d6f62696c650570686f6e65012800"),
        ],
    );
    check(
        &sample::ticket_with_facts(),
        &[(
            1,
            "86e0a0b7f166056e6f727468066d6f62696c650570686f6e650003542d31020182e0a0b7f16601ac02010104486967680104676f6c64010201000103432d31",
        )],
    );
    check(
        &sample::assessment(),
        &[(
            0,
            "056e6f727468066d6f62696c650570686f6e6582e0a0b7f166b8c30201010101000100010104676f6c64010570686f6e6500010001000103432d310103542d300106757267656e740190e0a0b7f16692e0a0b7f166030190e0a0b7f16692e0a0b7f16601",
        )],
    );
    check(&sample::compliance(), &[(0, "01020304050607080901")]);
    check(
        &sample::customer(),
        &[(
            0,
            "056e6f727468066d6f62696c650570686f6e6504030201010082e0a0b7f16692e0a0b7f16601030203542d3203542d3180f52401",
        )],
    );
    check(
        &sample::ticket(),
        &[
            (
                0,
                "056e6f727468066d6f62696c650570686f6e658ae0a0b7f1660384e0a0b7f1668ce0a0b7f1660182e0a0b7f166010001",
            ),
            (
                1,
                "056e6f727468066d6f62696c650570686f6e658ae0a0b7f1660384e0a0b7f1668ce0a0b7f1660182e0a0b7f166010001 \
        00000000",
            ),
        ],
    );
    check(
        &sample::backlog(),
        &[
            (
                0,
                "28030182e0a0b7f16680e0a0b7f1660188e0a0b7f1660186e0a0b7f1660000000000000040000000 \
        0000805640000000000000f83f0000000000207c40",
            ),
            (
                1,
                "28030182e0a0b7f16680e0a0b7f1660188e0a0b7f1660186e0a0b7f1660000000000000040000000 \
        0000805640000000000000f83f0000000000207c4000",
            ),
        ],
    );
    check(&sample::backlog_window(), &[(0, "050401025a03840728")]);
    check(
        &sample::judged_ticket(),
        &[(
            1,
            "056e6f727468066d6f62696c650570686f6e658ae0a0b7f1660384e0a0b7f1668ce0a0b7f1660182e0a0b7f166010001 \
        010186e0a0b7f166018ae0a0b7f16600",
        )],
    );
    check(
        &sample::backlog_by_hour(),
        &[(
            1,
            "28030182e0a0b7f16680e0a0b7f1660188e0a0b7f1660186e0a0b7f1660000000000000040000000 \
        0000805640000000000000f83f0000000000207c4001 \
        000000000000f83f0000000000207c40",
        )],
    );
    check(&sample::attained(), &[(0, "0503010502020f02a40101010014")]);
    check(&sample::alarm_types(), &[(0, "01056e6f727468066d6f62696c65034c4f530101")]);
}

#[test]
fn events() {
    check(
        &sample::transitions()[0].1,
        &[
            (
                0,
                "0461312d300261310080e0a0b7f16600056e6f727468066d6f62696c6501054f4c542d3101086c696e6b446f \
            776e01086e6f206c69676874",
            ),
            (
                1,
                "0461312d300261310080e0a0b7f16600056e6f727468066d6f62696c6501054f4c542d3101086c696e6b446f \
            776e01086e6f206c6967687400",
            ),
        ],
    );
    check(&sample::rebuilt(), &[(0, "86e0a0b7f16601054f4d432d3100")]);
    check(
        &sample::work(),
        &[(
            0,
            "026d310088e0a0b7f166809ad8baf16680d48fbef16601056e6f727468000108646567726164656401087370 \
        6c6963696e67",
        )],
    );
}

#[test]
fn people() {
    check(
        &sample::anomalies()[0],
        &[(
            0,
            "056e6f727468066d6f62696c650570686f6e65809ad8baf166000000000000001a4000000000000054400000 \
        00000040344017666f75722074696d65732074686520666f726563617374",
        )],
    );
    check(
        &sample::vanished(),
        &[(
            0,
            "056e6f727468066d6f62696c650570686f6e65809ad8baf166060000000000001a4000000000000000000000 \
        000000403440207b226b696e64223a2276616e6973686564222c226d696e75746573223a39307d",
        )],
    );
    let plain = alert("a1", 1, AlertState::Pending);
    check(
        &AlertBody::from(&plain),
        &[
            (
                0,
                "0261310d73686f72742d7374616666656400056e6f727468066d6f62696c650082e0a0b7f16682e0a0b7f166 \
        0082e0a0b7f166829ad8baf16608000109313220616c61726d730e34206167656e74732073686f7274000000 \
        020800",
            ),
            (
                1,
                "00000261310d73686f72742d7374616666656400056e6f727468066d6f62696c650082e0a0b7f16682e0a0b7 \
        f1660082e0a0b7f166829ad8baf16608000109313220616c61726d730e34206167656e74732073686f727400 \
        0000020800",
            ),
            (
                2,
                "00000261310d73686f72742d7374616666656400056e6f727468066d6f62696c650082e0a0b7f16682e0a0b7 \
        f1660082e0a0b7f166829ad8baf16608000109313220616c61726d73035554430000020800",
            ),
            (
                3,
                "00000261310d73686f72742d7374616666656400056e6f727468066d6f62696c650082e0a0b7f16682e0a0b7 \
        f1660082e0a0b7f166829ad8baf16608000109313220616c61726d730355544300000208000000000000",
            ),
            (
                4,
                "00000261310d73686f72742d7374616666656400056e6f727468066d6f62696c650082e0a0b7f16682e0a0b7 \
        f1660082e0a0b7f166829ad8baf16608000109313220616c61726d73035554430000020800000000000000000000000000",
            ),
            (
                5,
                "00000261310d73686f72742d7374616666656400056e6f727468066d6f62696c650082e0a0b7f16682e0a0b7 \
        f1660082e0a0b7f166829ad8baf16608000109313220616c61726d7303555443000002080000000000000000000000000000",
            ),
        ],
    );
    let step = NeedStep {
        from: at(HOUR),
        to: at(2 * HOUR),
        agents: 7,
        channels: vec![
            (Name::new("phone").expect("a name"), 5),
            (Name::new("chat").expect("a name"), 2),
        ],
    };
    let trend =
        Trend { as_of: Some(at(5)), next_at: Some(at(HOUR)), calm: 1, eased_at: Some(at(0)) };
    check(
        &AlertBody::from(&Alert { steps: vec![step.clone()], trend, ..plain.clone() }),
        &[
            (
                3,
                "00000261310d73686f72742d7374616666656400056e6f727468066d6f62696c650082e0a0b7f16682e0a0b7 \
        f1660082e0a0b7f166829ad8baf16608000109313220616c61726d7303555443000002080001809ad8baf166 \
        80d48fbef1660e020570686f6e650a046368617404018ae0a0b7f16601809ad8baf166010180e0a0b7f166",
            ),
            (
                4,
                "00000261310d73686f72742d7374616666656400056e6f727468066d6f62696c650082e0a0b7f16682e0a0b7 \
        f1660082e0a0b7f166829ad8baf16608000109313220616c61726d7303555443000002080001809ad8baf166 \
        80d48fbef1660e020570686f6e650a046368617404018ae0a0b7f16601809ad8baf166010180e0a0b7f16600000000000000",
            ),
            (
                5,
                "00000261310d73686f72742d7374616666656400056e6f727468066d6f62696c650082e0a0b7f16682e0a0b7 \
        f1660082e0a0b7f166829ad8baf16608000109313220616c61726d7303555443000002080001809ad8baf166 \
        80d48fbef1660e020570686f6e650a046368617404018ae0a0b7f16601809ad8baf166010180e0a0b7f1660000000000000000",
            ),
        ],
    );
    let (silence, paging) = (sample::silence(), sample::paging(step));
    check(
        &silence,
        &[(
            0,
            "0973696c656e63652e31010c756e6465727374616666656401056e6f7274680080e0a0b7f166809ad8baf16601010f7374616469756d20636f6e63657274064c692057656980e0a0b7f166010957616e672046616e67",
        )],
    );
    check(
        &AlertBody::from(&Alert { paging, ..plain.clone() }),
        &[
            (
                4,
                "00000261310d73686f72742d7374616666656400056e6f727468066d6f62696c650082e0a0b7f16682e0a0b7f1660082e0a0b7f166829ad8baf16608000109313220616c61726d730355544300000208000000000000010973696c656e63652e31064c6920576569809ad8baf166010f7374616469756d20636f6e63657274010101809ad8baf166010280e0a0b7f166809ad8baf16612010261310e01056e6f727468066d6f62696c6501809ad8baf16601809ad8baf16680d48fbef1660e020570686f6e650a0463686174040109313220616c61726d7301809ad8baf16603",
            ),
            (
                5,
                "00000261310d73686f72742d7374616666656400056e6f727468066d6f62696c650082e0a0b7f16682e0a0b7f1660082e0a0b7f166829ad8baf16608000109313220616c61726d730355544300000208000000000000010973696c656e63652e31064c6920576569809ad8baf166010f7374616469756d20636f6e63657274010101809ad8baf166010280e0a0b7f166809ad8baf16612010261310e01056e6f727468066d6f62696c6501809ad8baf16601809ad8baf16680d48fbef1660e020570686f6e650a0463686174040109313220616c61726d7301809ad8baf1660300",
            ),
        ],
    );
    let finding = Some(Box::new(sample::finding()));
    check(
        &AlertBody::from(&Alert { finding, severity: AlertSeverity::Info, ..plain.clone() }),
        &[(
            5,
            "00000261310d73686f72742d7374616666656402056e6f727468066d6f62696c650082e0a0b7f16682e0a0b7f1660082e0a0b7f166829ad8baf16608000109313220616c61726d7303555443000002080000000000000000000000000001010e6e6574776f726b2e616c61726d730000000000001a4000000000000008400000000000001d4001046869676806076d696e75746573005a05757375616c010000000000002f4005736861726502000000000000d03f0573696e636503809ad8baf16606736f75726365040e6e6574776f726b2e616c61726d73076368616e6e656c050570686f6e650101026131",
        )],
    );
    check(
        &sample::rule_memory(),
        &[(
            0,
            "010e6e6574776f726b2e616c61726d730280e0a0b7f16680f7b3bcf1660301c088c6bbf166e0e5a40101056e6f727468066d6f62696c650570686f6e650307090802070980d0d389f26608",
        )],
    );
    let full = &sample::alerts()[3];
    check(
        &AlertBody::from(full),
        &[
            (
                1,
                "01809ad8baf166011201056e6f727468066d6f62696c650570686f6e65809ad8baf1660000000000803f4000 \
        000000000036400000000000a04440090508010109313220616c61726d730261340d73686f72742d73746166 \
        66656401056e6f727468066d6f62696c650388e0a0b7f16688e0a0b7f16601808ec7c1f16688e0a0b7f16688 \
        9ad8baf1660801056e6f727468066d6f62696c650570686f6e65809ad8baf1660000000000803f4000000000 \
        000036400000000000a04440090508010109313220616c61726d730e34206167656e74732073686f72740001 \
        064c6920576569010675736566756c02080180e0a0b7f166",
            ),
            (
                2,
                "01809ad8baf166011201056e6f727468066d6f62696c650570686f6e65809ad8baf1660000000000803f4000 \
        000000000036400000000000a04440090508010109313220616c61726d730261340d73686f72742d73746166 \
        66656401056e6f727468066d6f62696c650388e0a0b7f16688e0a0b7f16601808ec7c1f16688e0a0b7f16688 \
        9ad8baf1660801056e6f727468066d6f62696c650570686f6e65809ad8baf1660000000000803f4000000000 \
        000036400000000000a04440090508010109313220616c61726d730355544301064c69205765690106757365 \
        66756c02080180e0a0b7f166",
            ),
            (
                3,
                "01809ad8baf166011201056e6f727468066d6f62696c650570686f6e65809ad8baf1660000000000803f4000 \
        000000000036400000000000a04440090508010109313220616c61726d730261340d73686f72742d73746166 \
        66656401056e6f727468066d6f62696c650388e0a0b7f16688e0a0b7f16601808ec7c1f16688e0a0b7f16688 \
        9ad8baf1660801056e6f727468066d6f62696c650570686f6e65809ad8baf1660000000000803f4000000000 \
        000036400000000000a04440090508010109313220616c61726d730355544301064c69205765690106757365 \
        66756c02080180e0a0b7f1660000000000",
            ),
            (
                4,
                "01809ad8baf166011201056e6f727468066d6f62696c650570686f6e65809ad8baf1660000000000803f4000 \
        000000000036400000000000a04440090508010109313220616c61726d730261340d73686f72742d73746166 \
        66656401056e6f727468066d6f62696c650388e0a0b7f16688e0a0b7f16601808ec7c1f16688e0a0b7f16688 \
        9ad8baf1660801056e6f727468066d6f62696c650570686f6e65809ad8baf1660000000000803f4000000000 \
        000036400000000000a04440090508010109313220616c61726d730355544301064c69205765690106757365 \
        66756c02080180e0a0b7f166000000000000000000000000",
            ),
            (
                5,
                "01809ad8baf166011201056e6f727468066d6f62696c650570686f6e65809ad8baf1660000000000803f4000 \
        000000000036400000000000a04440090508010109313220616c61726d730261340d73686f72742d73746166 \
        66656401056e6f727468066d6f62696c650388e0a0b7f16688e0a0b7f16601808ec7c1f16688e0a0b7f16688 \
        9ad8baf1660801056e6f727468066d6f62696c650570686f6e65809ad8baf1660000000000803f4000000000 \
        000036400000000000a04440090508010109313220616c61726d730355544301064c69205765690106757365 \
        66756c02080180e0a0b7f16600000000000000000000000000",
            ),
        ],
    );
    check(
        full.worst.as_ref().expect("there"),
        &[(
            0,
            "1201056e6f727468066d6f62696c650570686f6e65809ad8baf1660000000000803f40000000000000364000 \
        00000000a04440090508010109313220616c61726d73",
        )],
    );
    check(
        &sample::notices()[2].0,
        &[
            (
                0,
                "0461342e31020261340d73686f72742d7374616666656401056e6f727468066d6f62696c650388e0a0b7f166 \
        88e0a0b7f16601808ec7c1f16688e0a0b7f166889ad8baf1660801056e6f727468066d6f62696c650570686f \
        6e65809ad8baf1660000000000803f4000000000000036400000000000a04440090508010109313220616c61 \
        726d730e34206167656e74732073686f72740001064c6920576569010675736566756c02080180e0a0b7f166",
            ),
            (
                1,
                "0461342e31020261340d73686f72742d7374616666656401056e6f727468066d6f62696c650388e0a0b7f166 \
        88e0a0b7f16601808ec7c1f16688e0a0b7f166889ad8baf1660801056e6f727468066d6f62696c650570686f \
        6e65809ad8baf1660000000000803f4000000000000036400000000000a04440090508010109313220616c61 \
        726d730355544301064c6920576569010675736566756c02080180e0a0b7f166",
            ),
            (
                2,
                "0461342e31020261340d73686f72742d7374616666656401056e6f727468066d6f62696c650388e0a0b7f166 \
        88e0a0b7f16601808ec7c1f16688e0a0b7f166889ad8baf1660801056e6f727468066d6f62696c650570686f \
        6e65809ad8baf1660000000000803f4000000000000036400000000000a04440090508010109313220616c61 \
        726d730355544301064c6920576569010675736566756c02080180e0a0b7f1660000000000",
            ),
            (
                3,
                "0461342e31020261340d73686f72742d7374616666656401056e6f727468066d6f62696c650388e0a0b7f166 \
        88e0a0b7f16601808ec7c1f16688e0a0b7f166889ad8baf1660801056e6f727468066d6f62696c650570686f \
        6e65809ad8baf1660000000000803f4000000000000036400000000000a04440090508010109313220616c61 \
        726d730355544301064c6920576569010675736566756c02080180e0a0b7f166000000000000000000000000",
            ),
            (
                4,
                "0461342e31020261340d73686f72742d7374616666656401056e6f727468066d6f62696c650388e0a0b7f166 \
        88e0a0b7f16601808ec7c1f16688e0a0b7f166889ad8baf1660801056e6f727468066d6f62696c650570686f \
        6e65809ad8baf1660000000000803f4000000000000036400000000000a04440090508010109313220616c61 \
        726d730355544301064c6920576569010675736566756c02080180e0a0b7f16600000000000000000000000000",
            ),
        ],
    );
}

#[test]
fn recommendations() {
    check(
        &sample::recommendation(),
        &[(
            0,
            "136d6f76652e6d6f62696c652e63616c6c732e3100010563616c6c7301066d6f62696c6501056e6f72746806 \
        6d6f62696c650570686f6e6503555443809ad8baf166808ec7c1f16604000000000000e83f000000000000ea \
        3f000000000000e03f000000000000444001000000000000c03f000000000000d03f0000000000205e400080 \
        9ad8baf1660e0a80e0a0b7f16682e0a0b7f16680e0a0b7f1660101000180e0a0b7f16601064c692057656901 \
        82e0a0b7f16600010100000000004060400000000000205e40000000000000e83f000000000000e03f00",
        )],
    );
    check(
        &sample::uncovered(),
        &[(0, "010563616c6c7301056e6f727468066d6f62696c650570686f6e65809ad8baf16680d48fbef16603")],
    );
}

#[test]
fn state() {
    check(&1_767_571_200_000i64, &[(0, "80e0a0b7f166")]);
    check(&Cursor(300), &[(0, "2c01000000000000"), (1, "d804")]);
}

/// A body stores a variant as its position in the enum, so new variants must be appended.
#[test]
fn variants_keep_their_positions() {
    fn places<T: Serialize>(values: &[T]) {
        for (place, value) in (0u8..).zip(values) {
            let stored = postcard::to_stdvec(value).expect("packs");
            assert_eq!(stored[0], place, "{}", std::any::type_name::<T>());
        }
    }
    use {AdjustmentKind as A, AlertState as S, Severity as V};
    places(&[V::Critical, V::Major, V::Minor, V::Warning, V::Indeterminate]);
    places(&[AlarmAction::Raise, AlarmAction::Change, AlarmAction::Clear]);
    places(&[MaintenanceAction::Plan, MaintenanceAction::Cancel]);
    places(&[
        AnomalyKind::High,
        AnomalyKind::Low,
        AnomalyKind::Complaints,
        AnomalyKind::Phrase,
        AnomalyKind::ShiftUp,
        AnomalyKind::ShiftDown,
        AnomalyKind::Vanished,
        AnomalyKind::AlarmStorm,
        AnomalyKind::SilentSource,
        AnomalyKind::ForecastUnreliable,
    ]);
    places(&[S::Pending, S::Firing, S::Acknowledged, S::Resolved]);
    places(&[AlertSeverity::Warning, AlertSeverity::Critical, AlertSeverity::Info]);
    {
        use HoldReason as H;
        places(&[H::Silence, H::QuietHours, H::PlannedWork, H::Inhibited]);
        let text = String::new;
        places(&[
            Fact::Count(0),
            Fact::Number(0.0),
            Fact::Share(0.0),
            Fact::At(at(0)),
            Fact::Text(text()),
            Fact::Channel(text()),
        ]);
    }
    places(&[
        NotificationKind::Firing,
        NotificationKind::Escalated,
        NotificationKind::Resolved,
        NotificationKind::Reminder,
    ]);
    {
        use crate::staffing::{Answer as W, Kind as K, RecommendationState as R};
        places(&[K::Move, K::CallIn, K::Overtime, K::OfferLeave, K::Announcement]);
        places(&R::EVERY);
        places(&[W::Accept, W::Decline, W::Done]);
    }
    places(&[A::Campaign, A::Billing, A::Override, A::Other]);
    places(&[AdjustmentAmount::Factor(1.0), AdjustmentAmount::TicketsPerWindow(1.0)]);
}
