//! A client's colour, made readable: every text and edge of it has the contrast that WCAG 2.2 asks for (1.4.3), in light
//! and in dark.

/// Red, green, blue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colour([u8; 3]);

const WHITE: Colour = Colour([255, 255, 255]);
const BLACK: Colour = Colour([0, 0, 0]);
/// The page's own surfaces, as style.css has them: light behind, dark surface, dark text on a light button.
const CANVAS: Colour = Colour([0xF6, 0xF7, 0xF9]);
const DARK_SURFACE: Colour = Colour([0x15, 0x18, 0x1F]);
const ON_DARK: Colour = Colour([0x14, 0x12, 0x2E]);
/// What text needs beside its background.
const CONTRAST: f64 = 4.5;

impl Colour {
    /// `#RRGGBB`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6 && digits.is_ascii())?;
        let part = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
        Some(Self([part(0)?, part(2)?, part(4)?])).filter(|_| !digits.contains(['+', '-']))
    }

    /// Custom properties over those of style.css.
    pub(super) fn style(self) -> String {
        let (light, dark) = (self.until(BLACK, &[WHITE, CANVAS]), self.until(WHITE, &[DARK_SURFACE, ON_DARK]));
        let set = |accent: Self, strong: Self, on: Self, soft: Self| {
            let [accent, strong, on, soft] = [accent, strong, on, soft].map(Self::text);
            format!(
                ":root {{ --accent: {accent}; --accent-strong: {strong}; --on-accent: {on}; --accent-soft: {soft}; }}"
            )
        };
        let light = set(light, light.mixed(BLACK, 20), WHITE, light.mixed(WHITE, 90));
        let dark = set(dark, dark.mixed(WHITE, 25), ON_DARK, dark.mixed(DARK_SURFACE, 80));
        format!("{light}\n@media (prefers-color-scheme: dark) {{ {dark} }}\n")
    }

    /// Moved towards `end` until it stands out from all of these.
    fn until(self, end: Self, from: &[Self]) -> Self {
        let stands_out = |one: &Self| from.iter().all(|other| one.contrast(*other) >= CONTRAST);
        (0..=20).map(|step| self.mixed(end, step * 5)).find(stands_out).unwrap_or(end)
    }

    fn mixed(self, other: Self, percent: u16) -> Self {
        let mut parts = self.0;
        for (own, theirs) in parts.iter_mut().zip(other.0) {
            let sum = u16::from(*own) * (100 - percent) + u16::from(theirs) * percent;
            *own = u8::try_from(sum / 100).unwrap_or(u8::MAX);
        }
        Self(parts)
    }

    /// WCAG 2.2, "contrast ratio".
    fn contrast(self, other: Self) -> f64 {
        let (a, b) = (self.luminance(), other.luminance());
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    fn luminance(self) -> f64 {
        let linear = self.0.map(|part| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        });
        linear.iter().zip([0.2126, 0.7152, 0.0722]).map(|(part, weight)| part * weight).sum()
    }

    fn text(self) -> String {
        let [red, green, blue] = self.0;
        format!("#{red:02X}{green:02X}{blue:02X}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_colour_becomes_readable() {
        for text in ["#FFFF00", "#FFFFFF", "#000000", "#4A41C4", "#00FF00", "#808080", "#E30613", "#00a0e9"] {
            let colour = Colour::parse(text).expect(text);
            let (light, dark) = (colour.until(BLACK, &[WHITE, CANVAS]), colour.until(WHITE, &[DARK_SURFACE, ON_DARK]));
            for (one, other) in [(light, WHITE), (light, CANVAS), (dark, DARK_SURFACE), (dark, ON_DARK)] {
                assert!(one.contrast(other) >= CONTRAST, "{text}: {one:?} on {other:?}");
            }
        }
        assert_eq!(Colour::parse("#4A41C4").map(|own| own.until(BLACK, &[WHITE])), Colour::parse("#4A41C4"));
        for odd in ["4A41C4", "#4A41C", "#4A41CG", "red", "#+1+1+1", "#ééé"] {
            assert_eq!(Colour::parse(odd), None, "{odd}");
        }
    }
}
