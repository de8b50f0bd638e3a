// The desktop entry and the list of what opens which links. Binds CONTRACT §1 (`handler`) and the
// Desktop Entry Specification 1.4.
import Testing

@testable import softtoken

@Suite("The desktop entry")
struct DesktopEntryTests {
    @Test(
        "Exec quotes what a desktop would take apart",
        arguments: [
            ("/home/ada/.local/bin/softtoken", "/home/ada/.local/bin/softtoken"),
            ("/opt/soft token/s", "\"/opt/soft token/s\""),
            (#"/opt/a"b/s"#, #""/opt/a\\"b/s""#),
            (#"/opt/a$b/s"#, #""/opt/a\\$b/s""#),
            (#"/opt/a`b/s"#, #""/opt/a\\`b/s""#),
            (#"/opt/a\b/s"#, #""/opt/a\\\\b/s""#),
            ("/opt/~/s", "\"/opt/~/s\""),
        ])
    func quotes(path: String, exec: String) throws {
        let entry = try #require(DesktopEntry(program: path, schemes: [.softtoken]))
        #expect(entry.text.contains("\nExec=\(exec) handler open %u\n"))
        #expect(entry.showText.contains("\nExec=\(exec) show --hold\n"))
    }

    @Test(
        "A path that no desktop can start has no entry",
        arguments: ["softtoken", "/opt/a=b/s", "/opt/100%/s", "/opt/a\nb/s", "/opt/a\u{7F}/s"])
    func refuses(path: String) {
        #expect(DesktopEntry(program: path, schemes: [.softtoken]) == nil)
    }

    @Test("otpauth links are opened only where they were asked for")
    func schemes() throws {
        let one = try #require(DesktopEntry(program: "/s", schemes: [.softtoken]))
        #expect(one.text.hasSuffix("\nMimeType=x-scheme-handler/softtoken;\n"))
        let both = try #require(DesktopEntry(program: "/s", schemes: [.softtoken, .otpauth]))
        #expect(
            both.text.hasSuffix(
                "\nMimeType=x-scheme-handler/softtoken;x-scheme-handler/otpauth;\n"))
    }

    @Test(
        "A list that names nothing else was made for this program",
        arguments: [
            ("", true), ("[Default Applications]\n\n", true), ("[Added Associations]\n", false),
            ("[Default Applications]\nu=a.desktop\n", false), ("# mine\n", false),
        ])
    func empties(list: String, isEmpty: Bool) {
        #expect(namesNothing(Array(list.utf8)) == isEmpty)
    }

    @Test(
        "Only this program leaves the list; every other byte stays",
        arguments: [
            ("t=me.desktop\n", ""),
            ("[D]\nt=me.desktop;\nu=a.desktop\n", "[D]\nu=a.desktop\n"),
            ("t=a.desktop;me.desktop;b.desktop\r\n", "t=a.desktop;b.desktop;\r\n"),
            ("t = me.desktop ; a.desktop\n", "t = a.desktop;\n"),
            ("[A]\nt=me.desktop\n[B]\n\nt=me.desktop\n# x", "[A]\n[B]\n\n# x"),
            ("u=me.desktop\n", nil),
            ("t=other.desktop\n", nil),
            ("t=xme.desktop\n", nil),
            ("t\n\u{FFFD}=\n", nil),
            ("", nil),
        ] as [(String, String?)])
    func forgets(list: String, rest: String?) {
        let result = mimeApplications(Array(list.utf8), without: "me.desktop", for: ["t"])
        #expect(result.map { String(decoding: $0, as: UTF8.self) } == rest)
    }
}
