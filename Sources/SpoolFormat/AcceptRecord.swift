// The envelope in an `accept` record: what SMTP's extensions asked for stands behind keys of its own, and nothing stands there
// for what was not asked. So a record of mail without extensions is what it always was, byte for byte.

package import MailModel

extension Key {
    /// The keys of what was asked, in the order in which they are written (docs/spool.md, "Envelopes").
    package static let options: [Key] = [.charset, .requiretls, .ret, .envid, .holdfor, .holduntil, .by, .priority, .notify, .orcpt]
}

extension RecordLine {
    /// Adds sender and recipients.
    package mutating func add(pathsOf envelope: Envelope) {
        add(.from, envelope.sender.wire)
        for recipient in envelope.recipients { add(.to, recipient.wire) }
    }

    /// Adds the body's type, unless it is the usual one.
    package mutating func add(_ body: BodyType) {
        switch body {
        case .sevenBit: break
        case .eightBitMIME: add(.body, "8bitmime")
        case .binaryMIME: add(.body, "binarymime")
        }
    }

    /// Adds what was asked for the message and for each recipient; that of a recipient stands behind its number among the `to`s, from 1.
    package mutating func add(optionsOf envelope: Envelope) {
        add(envelope.options)
        guard !envelope.recipientOptions.isEmpty else { return }
        for (index, recipient) in envelope.recipients.enumerated() { add(envelope.options(for: recipient), number: index + 1) }
    }

    /// Adds what was asked for the recipient with this number among those that the record names.
    package mutating func add(_ options: RecipientOptions, number: Int) {
        if let notify = options.notify { add(.notify, "\(number):\(notify.text)") }
        if let original = options.originalRecipient { add(.orcpt, Array("\(number):".utf8) + original.text) }
    }

    /// Adds what was asked for the message as a whole.
    package mutating func add(_ options: MessageOptions) {
        if options.isUTF8 { add(.charset, "utf-8") }
        if options.requiresTLS { add(.requiretls, "yes") }
        if let value = options.returnContent { add(.ret, value.text) }
        if let value = options.envelopeID { add(.envid, value.bytes) }
        switch options.hold {
        case .interval(let seconds): add(.holdfor, seconds)
        case .until(let time): add(.holduntil, time.text)
        case nil: break
        }
        if let value = options.deliverBy { add(.by, value.text) }
        if let value = options.priority { add(.priority, value.text) }
    }
}

extension Envelope {
    /// The envelope of an `accept`; nil if an address or an option in it is none: such a record is damage, and not a message without options.
    package init?(_ record: Record) {
        guard record.verb == .accept, let from = record[.from], let body = BodyType(record), let options = MessageOptions(record) else { return nil }
        var sender = ReversePath.null
        if !from.isEmpty {
            guard let address = EmailAddress(parsing: from) else { return nil }
            sender = .address(address)
        }
        var recipients: [EmailAddress] = []
        for text in record.all(.to) {
            guard let address = EmailAddress(parsing: text) else { return nil }
            recipients.append(address)
        }
        guard !recipients.isEmpty, let asked = RecipientOptions.all(in: record, of: recipients) else { return nil }
        self.init(sender: sender, recipients: recipients, body: body, options: options, recipientOptions: asked)
    }
}

extension BodyType {
    fileprivate init?(_ record: Record) {
        guard let text = record.only(.body) else { return nil }
        switch text.value?.display {
        case nil: self = .sevenBit
        case "8bitmime": self = .eightBitMIME
        case "binarymime": self = .binaryMIME
        default: return nil
        }
    }
}

extension MessageOptions {
    /// What a record says that names them; nil for a key that says something else than its grammar allows, or says it twice.
    package init?(_ record: Record) {
        self.init()
        guard let charset = record.only(.charset), let requireTLS = record.only(.requiretls),
            charset.value == nil || charset.value?.elementsEqual("utf-8".utf8) == true,
            requireTLS.value == nil || requireTLS.value?.elementsEqual("yes".utf8) == true,
            let ret = record.only(.ret, { ReturnContent(parsing: $0) }), let envid = record.only(.envid, { EnvelopeID($0) }),
            let interval = record.only(.holdfor, { HoldRelease(interval: $0) }), let until = record.only(.holduntil, { HoldRelease(until: $0) }),
            let deliverBy = record.only(.by, { DeliverBy(parsing: $0) }), let priority = record.only(.priority, { Priority(parsing: $0) }),
            interval.value == nil || until.value == nil
        else { return nil }
        isUTF8 = charset.value != nil
        requiresTLS = requireTLS.value != nil
        returnContent = ret.value
        envelopeID = envid.value
        hold = interval.value ?? until.value
        self.deliverBy = deliverBy.value
        self.priority = priority.value
    }
}

extension RecipientOptions {
    /// By recipient; nil for a number that no recipient has, and for what is said of one twice.
    package static func all(in record: Record, of recipients: [EmailAddress]) -> [EmailAddress: RecipientOptions]? {
        var all: [EmailAddress: RecipientOptions] = [:]
        for text in record.all(.notify) {
            guard let (recipient, value) = numbered(text, recipients), let notify = NotifyOptions(parsing: value),
                all[recipient]?.notify == nil
            else { return nil }
            all[recipient, default: RecipientOptions()].notify = notify
        }
        for text in record.all(.orcpt) {
            guard let (recipient, value) = numbered(text, recipients), let original = OriginalRecipient(parsing: value),
                all[recipient]?.originalRecipient == nil
            else { return nil }
            all[recipient, default: RecipientOptions()].originalRecipient = original
        }
        return all
    }

    /// `2:value`: the second recipient's.
    private static func numbered(_ text: [UInt8], _ recipients: [EmailAddress]) -> (EmailAddress, ArraySlice<UInt8>)? {
        guard let colon = text.firstIndex(of: UInt8(ascii: ":")), let number = text[..<colon].decimalValue,
            recipients.indices.contains(number - 1)
        else { return nil }
        return (recipients[number - 1], text[(colon + 1)...])
    }
}

extension Record {
    /// What stands behind a key that may be absent.
    fileprivate struct Found<Value> { let value: Value? }

    /// Nil if the key is there twice, or its value cannot be read.
    fileprivate func only<Value>(_ key: Key, _ read: ([UInt8]) -> Value?) -> Found<Value>? {
        let values = all(key)
        guard let first = values.first else { return Found(value: nil) }
        guard values.count == 1, let value = read(first) else { return nil }
        return Found(value: value)
    }

    fileprivate func only(_ key: Key) -> Found<[UInt8]>? { only(key) { $0 } }
}
