// The rows for what our own users may send.

extension ConfigurationKey {
    static let submission = [
        ConfigurationKey("submission.check_from", \.submission.checkFrom, default: .account, reload: .live, """
            What must belong to the account that logged in, or be granted to it (`mailctl account grant`):
            `account`: MAIL FROM and the From and Sender fields; `envelope`: MAIL FROM alone; `off`: nothing.
            Tags count as the address that they belong to, and the null sender is always allowed.
            """),
        ConfigurationKey("submission.add_fields", \.submission.addFields, default: true, reload: .live, """
            Date and Message-ID are added where a message has none (RFC 6409 §8.2, §8.3).
            """),
    ] + account + address

    private static func limit(
        _ name: String, _ place: any WritableKeyPath<Configuration, Int> & Sendable, default standard: Int, _ documentation: String
    ) -> ConfigurationKey {
        ConfigurationKey("submission.\(name)", place, default: standard, within: .range(0...1_000_000), reload: .live, documentation)
    }

    private static let account = [
        limit("messages_per_hour", \.submission.account.messagesPerHour, default: 1000, """
            Messages of one account. Beyond a limit the answer is 450 4.7.1 and says when to come again; 0: no limit.
            """),
        limit("messages_per_day", \.submission.account.messagesPerDay, default: 5000, """
            The same for a day.
            """),
        limit("recipients_per_hour", \.submission.account.recipientsPerHour, default: 5000, """
            Recipients of all messages of one account. Below `limits.recipients` the largest messages are never taken.
            """),
        limit("recipients_per_day", \.submission.account.recipientsPerDay, default: 20_000, """
            The same for a day.
            """),
    ]

    private static let address = [
        limit("address_messages_per_hour", \.submission.address.messagesPerHour, default: 4000, """
            Messages from one IPv4 address or one IPv6 /64, of whatever accounts: an office counts as one.
            """),
        limit("address_messages_per_day", \.submission.address.messagesPerDay, default: 20_000, """
            The same for a day.
            """),
        limit("address_recipients_per_hour", \.submission.address.recipientsPerHour, default: 20_000, """
            Recipients of all messages from there.
            """),
        limit("address_recipients_per_day", \.submission.address.recipientsPerDay, default: 80_000, """
            The same for a day.
            """),
    ]
}
