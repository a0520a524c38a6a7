// The negotiation: what was not offered is not agreed to, and an older milter is spoken to in its version.

import MailTestKit
import MilterProtocol
import Testing

struct MilterOptionsTests {
    private static let offer = MilterOptions()

    private func agreed(_ version: UInt32, _ actions: UInt32, _ steps: UInt32, offer: MilterOptions = offer) -> MilterOptions? {
        offer.agreed(with: MilterOptions(version: version, actions: .init(rawValue: actions), steps: .init(rawValue: steps)))
    }

    @Test(arguments: [
        (6, 0, 0, 0), (6, 0x1FF, 0x1F_FFFF, 0x1F_FFFF), (2, 0x3F, 0x7F, 0x37F), (2, 0, 0, 0x300), (3, 0x3F, 0x1FF, 0x3FF), (3, 0, 0, 0x200),
        (4, 0, 0, 0), (4, 0x3F, 0x3FF, 0x3FF), (5, 0x3F, 0x3FF, 0x3FF),
    ] as [(UInt32, UInt32, UInt32, UInt32)])
    func accepted(version: UInt32, actions: UInt32, steps: UInt32, expected: UInt32) {
        let agreed = agreed(version, actions, steps)
        #expect(agreed?.version == version && agreed?.actions.rawValue == actions && agreed?.steps.rawValue == expected)
    }

    @Test(arguments: [
        (0, 0, 0), (1, 0, 0), (7, 0, 0), (0xFFFF_FFFF, 0, 0), (6, 0x200, 0), (6, 0x8000_0000, 0), (6, 0, 0x20_0000), (6, 0, 0x1000_0000),
        // Demands that the milter's own version does not have.
        (2, 0x40, 0), (2, 0, 0x80), (3, 0, 0x200), (4, 0, 0x400), (5, 0, 0x10_0000), (5, 0x100, 0),
    ] as [(UInt32, UInt32, UInt32)])
    func refused(version: UInt32, actions: UInt32, steps: UInt32) { #expect(agreed(version, actions, steps) == nil) }

    @Test func everyFlagThatIsNotOfferedIsRefused() {
        for bit in 0..<9 {
            let flag = UInt32(1) << bit
            let offer = MilterOptions(actions: MilterActions.all.subtracting(.init(rawValue: flag)))
            #expect(agreed(6, flag, 0, offer: offer) == nil && agreed(6, 0x1FF & ~flag, 0, offer: offer) != nil)
        }
        for bit in 0..<21 {
            let flag = UInt32(1) << bit
            let offer = MilterOptions(steps: MilterSteps.all.subtracting(.init(rawValue: flag)))
            #expect(agreed(6, 0, flag, offer: offer) == nil && agreed(6, 0, 0x1F_FFFF & ~flag, offer: offer) != nil)
        }
        #expect(agreed(6, 0, 0, offer: MilterOptions(version: 4)) == nil)
    }

    @Test func macroListsAreRead() {
        let options = MilterOptions(parsing: packet("O#6##256##0##0#j {if_name}|#5#i,{auth_authen}|#3#|#9#x|").data)
        #expect(options?.macroLists == [
            .connect: [bytes("j"), bytes("{if_name}")], .endOfMessage: [bytes("i"), bytes("{auth_authen}")], .recipient: [],
        ])
        guard let options else { return }
        #expect(Self.offer.agreed(with: options)?.macroLists == options.macroLists)
        #expect(MilterOptions(actions: .addHeaders).agreed(with: options) == nil)
        let many = String(repeating: "i ", count: 101)
        #expect(MilterOptions(parsing: packet("O#6##256##0##0#\(many)|").data) == nil)
    }

    @Test(arguments: [("i", "i"), ("{i}", "i"), ("{auth_type}", "{auth_type}"), ("auth_type", "{auth_type}"), ("{}", "{{}}")])
    func macroNamesHaveOneForm(name: String, expected: String) { #expect(MilterMacro.canonical(bytes(name)) == bytes(expected)) }

    /// Without SETSYMLIST a list is a demand that was not agreed.
    @Test func listsNeedTheirAction() {
        guard let options = MilterOptions(parsing: packet("O#6##0##0##0#j|").data) else { return #expect(Bool(false)) }
        #expect(Self.offer.agreed(with: options) == nil)
    }
}
