// What both sides agree to before anything else: the version, the actions of the milter, the steps that it leaves out.
// Invariant: nothing is agreed to that was not offered.

/// What a milter may ask for at the end of a message (`SMFIF_…`).
package struct MilterActions: OptionSet, Sendable, Hashable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// ADDHEADER and INSHEADER.
    package static let addHeaders = MilterActions(rawValue: 0x001)
    package static let changeBody = MilterActions(rawValue: 0x002)
    package static let addRecipients = MilterActions(rawValue: 0x004)
    package static let deleteRecipients = MilterActions(rawValue: 0x008)
    package static let changeHeaders = MilterActions(rawValue: 0x010)
    package static let quarantine = MilterActions(rawValue: 0x020)
    package static let changeSender = MilterActions(rawValue: 0x040)
    package static let addRecipientsWithParameters = MilterActions(rawValue: 0x080)
    /// To say in the negotiation which macros it wants.
    package static let setMacroLists = MilterActions(rawValue: 0x100)

    package static let all = MilterActions(rawValue: 0x1FF)

    /// Those that a version of the protocol has.
    static func of(version: UInt32) -> MilterActions { version < 6 ? MilterActions(rawValue: 0x3F) : .all }
}

/// Steps that a milter can leave out, and what else it can ask of the dialogue (`SMFIP_…`).
package struct MilterSteps: OptionSet, Sendable, Hashable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let noConnect = MilterSteps(rawValue: 0x00_0001)
    package static let noHelo = MilterSteps(rawValue: 0x00_0002)
    package static let noMail = MilterSteps(rawValue: 0x00_0004)
    package static let noRecipient = MilterSteps(rawValue: 0x00_0008)
    package static let noBody = MilterSteps(rawValue: 0x00_0010)
    package static let noHeaders = MilterSteps(rawValue: 0x00_0020)
    package static let noEndOfHeaders = MilterSteps(rawValue: 0x00_0040)
    /// `SMFIP_NR_…`: the step is shown, and no reply comes.
    package static let noReplyHeader = MilterSteps(rawValue: 0x00_0080)
    package static let noUnknown = MilterSteps(rawValue: 0x00_0100)
    package static let noData = MilterSteps(rawValue: 0x00_0200)
    /// The reply SKIP is understood.
    package static let skip = MilterSteps(rawValue: 0x00_0400)
    /// Recipients that we refused are shown too.
    package static let refusedRecipients = MilterSteps(rawValue: 0x00_0800)
    package static let noReplyConnect = MilterSteps(rawValue: 0x00_1000)
    package static let noReplyHelo = MilterSteps(rawValue: 0x00_2000)
    package static let noReplyMail = MilterSteps(rawValue: 0x00_4000)
    package static let noReplyRecipient = MilterSteps(rawValue: 0x00_8000)
    package static let noReplyData = MilterSteps(rawValue: 0x01_0000)
    package static let noReplyUnknown = MilterSteps(rawValue: 0x02_0000)
    package static let noReplyEndOfHeaders = MilterSteps(rawValue: 0x04_0000)
    package static let noReplyBody = MilterSteps(rawValue: 0x08_0000)
    /// A value begins right after the colon: its leading space is the milter's business.
    package static let leadingSpace = MilterSteps(rawValue: 0x10_0000)

    package static let all = MilterSteps(rawValue: 0x1F_FFFF)

    /// Those that a version of the protocol has; UNKNOWN came with version 3, DATA with version 4.
    static func of(version: UInt32) -> MilterSteps {
        switch version {
        case ..<3: MilterSteps(rawValue: 0x07F)
        case 3: MilterSteps(rawValue: 0x1FF)
        case 4, 5: MilterSteps(rawValue: 0x3FF)
        default: .all
        }
    }
}

/// The data of OPTNEG, from either side.
package struct MilterOptions: Sendable, Hashable {
    package static let newestVersion: UInt32 = 6
    package static let oldestVersion: UInt32 = 2

    package var version: UInt32
    package var actions: MilterActions
    package var steps: MilterSteps
    /// The macros that the milter wants at a stage; what is not here is as the MTA pleases.
    package var macroLists: [MacroStage: [[UInt8]]] = [:]

    package init(version: UInt32 = newestVersion, actions: MilterActions = .all, steps: MilterSteps = .all) {
        self.version = version
        self.actions = actions
        self.steps = steps
    }

    package init?(parsing data: [UInt8]) {
        var reader = PacketReader(data)
        guard let version = reader.number(), let actions = reader.number(), let steps = reader.number() else { return nil }
        self.init(version: version, actions: MilterActions(rawValue: actions), steps: MilterSteps(rawValue: steps))
        while !reader.isAtEnd {
            guard let number = reader.number(), let text = reader.string() else { return nil }
            let names = text.split { $0 == 0x20 || $0 == 0x09 || $0 == UInt8(ascii: ",") }
            guard names.count <= MilterOptions.macroLimit else { return nil }
            // A stage that a later version may add is none of ours.
            if let stage = MacroStage(rawValue: number) { macroLists[stage] = names.map { MilterMacro.canonical($0) } }
        }
    }

    /// Names in one list of macros; sendmail keeps 50.
    private static let macroLimit = 100

    /// What holds between us: `answer` to this offer; nil if the milter demands what was not offered.
    ///
    /// A milter of version 2 to 5 is spoken to in its version: it gets no command that it cannot know.
    package func agreed(with answer: MilterOptions) -> MilterOptions? {
        guard answer.version >= MilterOptions.oldestVersion, answer.version <= version,
            answer.actions.isSubset(of: actions.intersection(.of(version: answer.version))),
            answer.steps.isSubset(of: steps.intersection(.of(version: answer.version))),
            answer.macroLists.isEmpty || answer.actions.contains(.setMacroLists)
        else { return nil }
        var agreed = answer
        if answer.version < 3 { agreed.steps.insert(.noUnknown) }
        if answer.version < 4 { agreed.steps.insert(.noData) }
        return agreed
    }
}
