//! From keysyms (RFC 6143 §7.5.4) to keys that mean something at a login prompt.
//!
//! Shift is in the keysym already. Control is not: with it, a letter is a command.

use wolke_domain::console::Key;

const BACKSPACE: u32 = 0xff08;
const LINEFEED: u32 = 0xff0a;
const RETURN: u32 = 0xff0d;
const DELETE: u32 = 0xffff;
const KEYPAD_ENTER: u32 = 0xff8d;
/// The keysyms of the keypad's characters lie this far above the characters.
const KEYPAD: u32 = 0xff80;
const CONTROLS: [u32; 2] = [0xffe3, 0xffe4];

/// The keyboard: which modifiers are held.
#[derive(Debug, Default)]
pub struct Keyboard {
    control: [bool; 2],
}

impl Keyboard {
    /// A key went down or up.
    pub fn press(&mut self, keysym: u32, down: bool) -> Option<Key> {
        if let Some(side) = CONTROLS.iter().position(|control| *control == keysym) {
            self.control[side] = down;
            return None;
        }
        if !down {
            return None;
        }
        let key = match keysym {
            BACKSPACE | DELETE => Key::Backspace,
            LINEFEED | RETURN | KEYPAD_ENTER => Key::Enter,
            _ => Key::Character(character(keysym)?),
        };
        match key {
            Key::Character(letter) if self.control.contains(&true) => command(letter),
            key => Some(key),
        }
    }
}

/// What a letter means with control.
fn command(letter: char) -> Option<Key> {
    match letter.to_ascii_lowercase() {
        'h' => Some(Key::Backspace),
        'j' | 'm' => Some(Key::Enter),
        'u' => Some(Key::Clear),
        _ => None,
    }
}

/// The keysym of a printable ASCII character is its code, on the keypad with an offset.
fn character(keysym: u32) -> Option<char> {
    let on_keypad = keysym.checked_sub(KEYPAD).filter(|code| (0x2a..=0x39).contains(code));
    let code = on_keypad.unwrap_or(keysym);
    char::from_u32(code).filter(|character| (' '..='~').contains(character))
}

#[cfg(test)]
mod tests {
    use super::Keyboard;
    use wolke_domain::console::Key;

    #[test]
    fn keys_mean_what_they_say() {
        let mut keyboard = Keyboard::default();
        for (keysym, key) in [
            (0x41, Some(Key::Character('A'))),
            (0x61, Some(Key::Character('a'))),
            (0x20, Some(Key::Character(' '))),
            (0x7e, Some(Key::Character('~'))),
            (0xffb7, Some(Key::Character('7'))),
            (0xffae, Some(Key::Character('.'))),
            (0xff8d, Some(Key::Enter)),
            (0xff0d, Some(Key::Enter)),
            (0xff08, Some(Key::Backspace)),
            (0xe9, None),
            (0x0100_20ac, None),
            (0xffe1, None),
            (0xff1b, None),
            (0, None),
            (u32::MAX, None),
        ] {
            assert_eq!(keyboard.press(keysym, true), key, "{keysym:#x}");
            assert_eq!(keyboard.press(keysym, false), None, "a key that goes up types nothing");
        }
    }

    #[test]
    fn control_makes_commands_of_letters() {
        let mut keyboard = Keyboard::default();
        assert_eq!(keyboard.press(0xffe4, true), None);
        assert_eq!(keyboard.press(0x75, true), Some(Key::Clear));
        assert_eq!(keyboard.press(0x63, true), None);
        assert_eq!(keyboard.press(0xff0d, true), Some(Key::Enter));
        keyboard.press(0xffe4, false);
        assert_eq!(keyboard.press(0x75, true), Some(Key::Character('u')));
    }
}
